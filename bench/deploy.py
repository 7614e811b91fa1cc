"""Measure the production flow on a live release: under load, with failures, and against helm.

    PYTHONPATH=tests uv run python bench/deploy.py --cluster embedded:NAME load helm

Exits with 1 if a limit is exceeded, and prints it.

The development release runs with production's replicas and drain times. It is restored at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from support.release import databases, hooks, posts, server_pod
from support.release.artifacts import DEV, Source
from vrooli import programs
from vrooli.artifact import model
from vrooli.chart import values
from vrooli.drills.http_load import load
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records import storage
from vrooli.workflows.clusters import access
from vrooli.workflows.deploys.rollback import RollbackOptions, rollback

BASE, NEXT, MISSING, CRASHING, HOOK = ("2.0.0", "2.0.1", "2.0.3", "2.0.4", "2.0.5")
PRODUCTION: dict[str, Any] = {
    "replicaCount": {"ui": 2, "server": 3, "jobs": 2},
    "services": {"ui": {"drainSeconds": 5}, "server": {"drainSeconds": 5}},
}
FAULTS: dict[str, dict[str, Any]] = {
    MISSING: {"services": {"nsfwDetector": {"repository": "localhost/vrooli/there-is-none"}}},
    CRASHING: {"services": {"server": {"extraEnv": {"PICTURE_MAX_BYTES": "many"}}}},
}
# Timeout of the helm program for failing deploys, seconds; the default is minutes.
HELM_LIMIT_S = 60
LOAD_S = 180.0
# Number of alternating runs of the two programs.
ROUNDS = 3
# Limits: seconds until a failure is reported, seconds of a deploy without changes, ratio to helm.
REPORTED_S, UNCHANGED_S, RATIO = 20.0, 5.0, 1.1


class Bench:
    """A cluster with its release and artifacts."""

    def __init__(self, program: Path, cluster: str, kubeconfig: Path, url: str, out: Path) -> None:
        self.program, self.cluster, self.kubeconfig = program, cluster, kubeconfig
        self.url, self.out = url, out
        self.release = Release.of(DEV, kubeconfig)
        self.violations: list[str] = []

    def require(self, what: str, value: float, limit: float) -> None:
        """Record a limit that is exceeded."""
        if value > limit:
            self.violations.append(f"{what}: {value:.2f}, limit {limit:g}")

    def build(self, versions: list[str]) -> None:
        """Build the artifacts of these versions, each with its fault."""
        with tempfile.TemporaryDirectory() as folder:
            source = Source(Path(folder))
            settings = values.merge(values.load(DEV), PRODUCTION)
            for version in versions:
                hook = Path(folder) / "k8s/chart/templates/failing-hook.yaml"
                hook.unlink(missing_ok=True)
                if version == HOOK:
                    hook.write_text(hooks.FAILING)
                faults = FAULTS.get(version, {})
                source.build(self.out, version, values.merge(settings, faults), images=True)

    async def revision(self) -> Revision | None:
        """The release's newest revision."""
        async with await Kube.connect(self.kubeconfig) as kube:
            return await storage.fetch_revision(kube, self.release)

    async def deploy(self, version: str, until: str = "") -> tuple[float, float, dict[str, Any]]:
        """Run ``vrooli deploy``: its duration, the time until a step failed, its last line."""
        start, failed_s, last = time.monotonic(), 0.0, {}
        words = ["deploy", "-v", version, "--artifact", str(self.out / version), "--output", "json"]
        started = await asyncio.create_subprocess_exec(
            *(str(self.program), *words, "--cluster", self.cluster),
            stdout=asyncio.subprocess.PIPE,
            limit=2**22,
        )
        assert started.stdout is not None  # noqa: S101 - it is a pipe
        async for line in started.stdout:
            last = json.loads(line)
            if last.get("outcome") == "failed" and not failed_s:
                failed_s = time.monotonic() - start
                print(f"  {last['detail']}", file=sys.stderr)
        await started.wait()
        return time.monotonic() - start, failed_s, last

    async def helm(self, version: str, limit_s: int) -> tuple[float, str]:
        """Run ``helm upgrade --install --wait``: its duration and the last line of output."""
        program = (await programs.ensure(["helm"], Progress()))["helm"]
        folder = model.locate(self.out / version)
        artifact = model.read(folder)
        start = time.monotonic()
        started = await asyncio.create_subprocess_exec(
            *(program, "upgrade", "--install", self.release.name, folder / artifact.chart.package),
            *("--values", folder / artifact.environments["dev"], "--namespace", DEV.namespace),
            *("--wait", "--timeout", f"{limit_s}s", "--force-conflicts"),
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await started.communicate()
        return time.monotonic() - start, output.decode().strip().splitlines()[-1]

    async def roll_back(self, number: int | None = None) -> None:
        """Roll back to an earlier revision."""
        await rollback(RollbackOptions(DEV, number, self.cluster), silent)


async def under_load(bench: Bench) -> None:
    """Failed requests during a rolling deploy, a rollback, and two kinds of pod loss."""
    await bench.deploy(BASE)
    start = time.monotonic()
    async with await Kube.connect(bench.kubeconfig) as kube, load(bench.url) as sent:

        async def act(name: str, action: Callable[[], Awaitable[object]], rest_s: float) -> None:
            print(f"  {time.monotonic() - start:6.1f} s {name}", file=sys.stderr)
            await action()
            print(f"  {time.monotonic() - start:6.1f} s {name} ended", file=sys.stderr)
            await asyncio.sleep(rest_s)

        await asyncio.sleep(10)
        await act("deploy", lambda: bench.deploy(NEXT), 10)
        await act("rollback", bench.roll_back, 10)
        await act("server pod deleted", lambda: _delete(kube), 30)
        await act("server process killed", lambda: _kill(kube), 0)
        await asyncio.sleep(max(0.0, LOAD_S - (time.monotonic() - start)))
    async with await Kube.connect(bench.kubeconfig) as kube:
        rows = await databases.sql(kube, DEV.namespace, sent.query)
    losses = sent.judge(posts.stored(rows))
    print(f"| requests in {time.monotonic() - start:.0f} s | {sent.sent} |")
    print(f"| failed | {sum(sent.failed.values())} {dict(sent.failed) or ''} |")
    print(f"| slowest response | {sent.slowest_s:.2f} s |")
    print(f"| posts | {len(sent.writes)} |")
    print(f"| acknowledged but lost | {len(losses.lost)} |")
    print(f"| stored twice | {len(losses.doubled)} |")
    print(f"| stored but not acknowledged | {len(losses.unanswered)} |")
    print("  failures:", sent.failures[:40], file=sys.stderr)
    bench.require("posts lost, doubled or not acknowledged", len(losses.all()), 0)
    bench.require("failed requests", len(sent.failures), 0)


async def _delete(kube: Kube) -> None:
    await kube.delete("v1", "Pod", await server_pod.name(kube), DEV.namespace)


async def _kill(kube: Kube) -> None:
    server_pod.kill(await server_pod.name(kube))


async def failures(bench: Bench) -> None:
    """Seconds until a failed deploy is reported, compared with the helm program."""
    await bench.deploy(BASE)
    print(
        "| deploy | reported, s | with rollback, s | helm, s | helm output |\n|---|---|---|---|---|"
    )
    for name, version in (("missing image", MISSING), ("crash", CRASHING), ("hook", HOOK)):
        total_s, reported_s, _ = await bench.deploy(version)
        before = await bench.revision()
        helm_s, message = await bench.helm(version, HELM_LIMIT_S)
        await bench.roll_back(before.number if before else None)
        bench.require(f"{name} reported, s", reported_s, REPORTED_S)
        print(f"| {name} | {reported_s:.1f} | {total_s:.1f} | {helm_s:.1f} | {message[:90]} |")


async def compare_helm(bench: Bench) -> None:
    """The same changes with ``vrooli deploy`` and with helm, alternately.

    The first run of each program takes over the release from the other and is not counted.
    """
    vrooli_s, helm_s = [], []
    await bench.deploy(BASE)  # loads the images, which helm doesn't
    for _ in range(ROUNDS):
        await bench.deploy(NEXT)
        vrooli_s.append((await bench.deploy(BASE))[0])
        vrooli_s.append((await bench.deploy(NEXT))[0])
        await bench.helm(BASE, 300)
        helm_s.append((await bench.helm(NEXT, 300))[0])
        helm_s.append((await bench.helm(BASE, 300))[0])
    ratio = statistics.median(vrooli_s) / statistics.median(helm_s)
    print(f"| vrooli deploy, s | {', '.join(f'{item:.1f}' for item in vrooli_s)} |")
    print(f"| helm, s | {', '.join(f'{item:.1f}' for item in helm_s)} |")
    print(f"| ratio of medians | {ratio:.2f} |")
    bench.require("ratio to helm", ratio, RATIO)


async def unchanged(bench: Bench) -> None:
    """A deploy without changes."""
    await bench.deploy(BASE)
    times = [await bench.deploy(BASE) for _ in range(3)]
    print(f"| no changes, s | {', '.join(f'{item[0]:.1f}' for item in times)} |")
    bench.require("no changes, s", max(item[0] for item in times), UNCHANGED_S)
    for step in times[-1][2]["result"]["steps"]:
        print(f"  {step['step']} {step['elapsed_s']}", file=sys.stderr)


MEASURES = {
    "load": (under_load, [BASE, NEXT]),
    "failures": (failures, [BASE, MISSING, CRASHING, HOOK]),
    "helm": (compare_helm, [BASE, NEXT]),
    "unchanged": (unchanged, [BASE]),
}


async def _run(measures: list[str], bench: Bench) -> None:
    before = await bench.revision()
    try:
        for name in measures:
            print(f"\n{name}\n")
            await MEASURES[name][0](bench)
    finally:
        # Helm retains ten revisions; after many deploys the first one is deleted.
        async with await Kube.connect(bench.kubeconfig) as kube:
            revisions = await storage.fetch_revisions(kube, bench.release)
        revision_numbers = [item.number for item in revisions]
        if before and before.number in revision_numbers[:-1]:
            await bench.roll_back(before.number)


async def _locate(cluster: str) -> tuple[Path, str]:
    async with access.connect(cluster) as reached:
        return reached.cluster.kubeconfig, reached.cluster.urls()["http"]


def main() -> None:
    """Build missing artifacts, measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", required=True)
    parser.add_argument(
        "--program",
        type=Path,
        default=Path(sys.executable).with_name("vrooli"),
        help="program to measure; default: the one of this environment",
    )
    parser.add_argument(
        "--out", type=Path, help="directory of the artifacts, reused by the next run"
    )
    parser.add_argument("measures", nargs="*", default=list(MEASURES), choices=[*MEASURES, "build"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig, url = asyncio.run(_locate(arguments.cluster))
        out = arguments.out or Path(folder)
        bench = Bench(arguments.program, arguments.cluster, kubeconfig, url, out)
        selected = [name for name in arguments.measures if name in MEASURES] or list(MEASURES)
        versions = {version for name in selected for version in MEASURES[name][1]}
        bench.build([item for item in sorted(versions) if not (bench.out / item).exists()])
        if arguments.measures != ["build"]:
            asyncio.run(_run(selected, bench))
        for violation in bench.violations:
            print(violation, file=sys.stderr)
        sys.exit(1 if bench.violations else 0)


if __name__ == "__main__":
    main()
