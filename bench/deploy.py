"""Measure the production flow on a live release: load, failures told, helm's times, nothing to do.

    PYTHONPATH=tests uv run python bench/deploy.py --cluster embedded:NAME load helm

Ends with 1 where a limit was broken, and names it.

The release of development is measured with what production has: its two of the UI and the jobs, its
three servers, and their drain. At the end it is what it was before.
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

from support import hooks, serverpod, stores
from support.artifacts import DEV, Source
from support.load import load
from vrooli import programs
from vrooli.artifact import model
from vrooli.chart import values
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records import storage
from vrooli.workflows.clusters import access
from vrooli.workflows.rollback import RollbackOptions, rollback

BASE, NEXT, MISSING, CRASHING, HOOK = ("2.0.0", "2.0.1", "2.0.3", "2.0.4", "2.0.5")
PRODUCTION: dict[str, Any] = {
    "replicaCount": {"ui": 2, "server": 3, "jobs": 2},
    "services": {"ui": {"drainSeconds": 5}, "server": {"drainSeconds": 5}},
}
WRONG: dict[str, dict[str, Any]] = {
    MISSING: {"services": {"nsfwDetector": {"repository": "localhost/vrooli/there-is-none"}}},
    CRASHING: {"services": {"server": {"extraEnv": {"PICTURE_MAX_BYTES": "many"}}}},
}
# How long the plain helm program may wait for what can't come, seconds; people give it minutes.
HELM_LIMIT_S = 60
LOAD_S = 180.0
# How often the two programs take turns.
ROUNDS = 3
# What must hold: seconds until a failure is told, of a deploy that changes nothing, and the ratio.
TOLD_S, NOTHING_S, RATIO = 20.0, 5.0, 1.1


class Bench:
    """One cluster with its release, and artifacts for it."""

    def __init__(self, program: Path, cluster: str, kubeconfig: Path, url: str, out: Path) -> None:
        self.program, self.cluster, self.kubeconfig = program, cluster, kubeconfig
        self.url, self.out = url, out
        self.release = Release.of(DEV, kubeconfig)
        self.broken: list[str] = []

    def demand(self, what: str, value: float, limit: float) -> None:
        """Note a limit that is broken."""
        if value > limit:
            self.broken.append(f"{what}: {value:.2f}, the limit is {limit:g}")

    def build(self, versions: list[str]) -> None:
        """The artifacts, in order or each with its fault."""
        with tempfile.TemporaryDirectory() as folder:
            source = Source(Path(folder))
            chosen = values.merge(values.load(DEV), PRODUCTION)
            for version in versions:
                hook = Path(folder) / "k8s/chart/templates/failing-hook.yaml"
                hook.unlink(missing_ok=True)
                if version == HOOK:
                    hook.write_text(hooks.FAILING)
                wrong = WRONG.get(version, {})
                source.build(self.out, version, values.merge(chosen, wrong), images=True)

    async def revision(self) -> Revision | None:
        """The release's newest revision."""
        async with await Kube.connect(self.kubeconfig) as kube:
            return await storage.fetch_revision(kube, self.release)

    async def deploy(self, version: str, until: str = "") -> tuple[float, float, dict[str, Any]]:
        """``vrooli deploy`` as a process: its time, the time until a step failed, its last line."""
        began, failed_s, last = time.monotonic(), 0.0, {}
        words = ["deploy", "-v", version, "--artifact", str(self.out / version), "--output", "json"]
        started = await asyncio.create_subprocess_exec(
            *(self.program, *words, "--cluster", self.cluster),
            stdout=asyncio.subprocess.PIPE,
            limit=2**22,
        )
        assert started.stdout is not None  # noqa: S101 - it is a pipe
        async for line in started.stdout:
            last = json.loads(line)
            if last.get("outcome") == "failed" and not failed_s:
                failed_s = time.monotonic() - began
                print(f"  {last['detail']}", file=sys.stderr)
        await started.wait()
        return time.monotonic() - began, failed_s, last

    async def helm(self, version: str, limit_s: int) -> tuple[float, str]:
        """``helm upgrade --install --wait`` as a process: its time and the end of what it said."""
        program = (await programs.ensure(["helm"], Progress()))["helm"]
        folder = model.locate(self.out / version)
        artifact = model.read(folder)
        began = time.monotonic()
        started = await asyncio.create_subprocess_exec(
            *(program, "upgrade", "--install", self.release.name, folder / artifact.chart.package),
            *("--values", folder / artifact.environments["dev"], "--namespace", DEV.namespace),
            *("--wait", "--timeout", f"{limit_s}s", "--force-conflicts"),
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await started.communicate()
        return time.monotonic() - began, said.decode().strip().splitlines()[-1]

    async def back(self, number: int | None = None) -> None:
        """Bring an earlier revision back."""
        await rollback(RollbackOptions(DEV, number, self.cluster), silent)


async def under_load(bench: Bench) -> None:
    """Failed requests across a rolling deploy, a rollback and two ways to lose a server's pod."""
    await bench.deploy(BASE)
    began = time.monotonic()
    async with await Kube.connect(bench.kubeconfig) as kube, load(bench.url) as sent:

        async def act(name: str, doing: Callable[[], Awaitable[object]], rest_s: float) -> None:
            print(f"  {time.monotonic() - began:6.1f} s {name}", file=sys.stderr)
            await doing()
            print(f"  {time.monotonic() - began:6.1f} s {name} ended", file=sys.stderr)
            await asyncio.sleep(rest_s)

        await asyncio.sleep(10)
        await act("deploy", lambda: bench.deploy(NEXT), 10)
        await act("rollback", bench.back, 10)
        await act("a server's pod deleted", lambda: _delete(kube), 30)
        await act("a server's process killed", lambda: _kill(kube), 0)
        await asyncio.sleep(max(0.0, LOAD_S - (time.monotonic() - began)))
    async with await Kube.connect(bench.kubeconfig) as kube:
        losses = sent.losses(await stores.sql(kube, DEV.namespace, sent.query))
    print(f"| requests in {time.monotonic() - began:.0f} s | {sent.sent} |")
    print(f"| failed | {sum(sent.failed.values())} {dict(sent.failed) or ''} |")
    print(f"| slowest answer | {sent.slowest_s:.2f} s |")
    print(f"| posts | {len(sent.writes)} |")
    print(f"| acknowledged and lost | {len(losses.lost)} |")
    print(f"| stored twice | {len(losses.doubled)} |")
    print(f"| stored, never acknowledged | {len(losses.unanswered)} |")
    print("  failures:", sent.at[:40], file=sys.stderr)
    bench.demand("posts lost, doubled or not acknowledged", len(losses.all()), 0)
    bench.demand("failed requests", len(sent.at), 0)


async def _delete(kube: Kube) -> None:
    await kube.delete("v1", "Pod", await serverpod.name(kube), DEV.namespace)


async def _kill(kube: Kube) -> None:
    serverpod.kill(await serverpod.name(kube))


async def failures(bench: Bench) -> None:
    """Seconds until it is told that a deploy has failed, beside the helm program."""
    await bench.deploy(BASE)
    print(
        "| deploy | told after, s | with rollback, s | helm, s | helm says |\n|---|---|---|---|---|"
    )
    for name, version in (("missing image", MISSING), ("crash", CRASHING), ("hook", HOOK)):
        whole_s, told_s, _ = await bench.deploy(version)
        before = await bench.revision()
        helm_s, said = await bench.helm(version, HELM_LIMIT_S)
        await bench.back(before.number if before else None)
        bench.demand(f"{name} told, s", told_s, TOLD_S)
        print(f"| {name} | {told_s:.1f} | {whole_s:.1f} | {helm_s:.1f} | {said[:90]} |")


async def beside_helm(bench: Bench) -> None:
    """The same changes by ``vrooli deploy`` and by the helm program, in turns.

    The first of each turn takes the release over from the other, and isn't counted.
    """
    ours, theirs = [], []
    await bench.deploy(BASE)  # has loaded its images, which helm can't
    for _ in range(ROUNDS):
        await bench.deploy(NEXT)
        ours.append((await bench.deploy(BASE))[0])
        ours.append((await bench.deploy(NEXT))[0])
        await bench.helm(BASE, 300)
        theirs.append((await bench.helm(NEXT, 300))[0])
        theirs.append((await bench.helm(BASE, 300))[0])
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"| vrooli deploy, s | {', '.join(f'{item:.1f}' for item in ours)} |")
    print(f"| helm, s | {', '.join(f'{item:.1f}' for item in theirs)} |")
    print(f"| ratio of medians | {ratio:.2f} |")
    bench.demand("ratio to helm", ratio, RATIO)


async def nothing(bench: Bench) -> None:
    """A deploy that changes nothing."""
    await bench.deploy(BASE)
    times = [await bench.deploy(BASE) for _ in range(3)]
    print(f"| nothing changes, s | {', '.join(f'{item[0]:.1f}' for item in times)} |")
    bench.demand("nothing changes, s", max(item[0] for item in times), NOTHING_S)
    for step in times[-1][2]["result"]["steps"]:
        print(f"  {step['step']} {step['elapsed_s']}", file=sys.stderr)


MEASURES = {
    "load": (under_load, [BASE, NEXT]),
    "failures": (failures, [BASE, MISSING, CRASHING, HOOK]),
    "helm": (beside_helm, [BASE, NEXT]),
    "nothing": (nothing, [BASE]),
}


async def _run(measures: list[str], bench: Bench) -> None:
    before = await bench.revision()
    try:
        for name in measures:
            print(f"\n{name}\n")
            await MEASURES[name][0](bench)
    finally:
        # Helm keeps ten revisions: after many deploys the first one is gone.
        async with await Kube.connect(bench.kubeconfig) as kube:
            revisions = await storage.fetch_revisions(kube, bench.release)
        kept = [item.number for item in revisions]
        if before and before.number in kept[:-1]:
            await bench.back(before.number)


async def _place(cluster: str) -> tuple[Path, str]:
    async with access.connect(cluster) as reached:
        return reached.cluster.kubeconfig, reached.cluster.urls()["http"]


def main() -> None:
    """Build what is missing, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", required=True)
    parser.add_argument(
        "--program",
        type=Path,
        default=Path(sys.executable).with_name("vrooli"),
        help="the one to measure: this environment's has the tests' libraries beside its own",
    )
    parser.add_argument("--out", type=Path, help="keep the artifacts here, for the next run")
    parser.add_argument("measures", nargs="*", default=list(MEASURES), choices=[*MEASURES, "build"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig, url = asyncio.run(_place(arguments.cluster))
        out = arguments.out or Path(folder)
        bench = Bench(arguments.program, arguments.cluster, kubeconfig, url, out)
        asked = [name for name in arguments.measures if name in MEASURES] or list(MEASURES)
        versions = {version for name in asked for version in MEASURES[name][1]}
        bench.build([item for item in sorted(versions) if not (bench.out / item).exists()])
        if arguments.measures != ["build"]:
            asyncio.run(_run(asked, bench))
        for said in bench.broken:
            print(said, file=sys.stderr)
        sys.exit(1 if bench.broken else 0)


if __name__ == "__main__":
    main()
