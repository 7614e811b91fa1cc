"""Time all checks at once, and the very same queries made one after another with kubectl.

    uv run python bench/check.py                             # on the embedded cluster "vrooli"
    uv run python bench/check.py --cluster embedded:other

Every request that the checks send to the API server is noted and then sent again by the kubectl
program, one after another, in the same run. Watches, logs, port-forwards and what is asked of Vault
are left out: kubectl is spared them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from vrooli import environments, process
from vrooli.chart import engine, values
from vrooli.checks import catalog, runner
from vrooli.checks.interface import Outcome, Site, State
from vrooli.kube import Kube
from vrooli.programs.catalog import wheel_version
from vrooli.workflows.clusters import access

AIM_S, SHARE = 10.0, 5.0
# One query of kubectl may take so long, seconds.
QUERY_S = 60.0
Query = tuple[str, str, str]


class Noting(Kube):
    """A client that notes what it asks."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.asked: list[Query] = []

    async def _call(self, method: str, doing: str, **settings: Any) -> httpx.Response:
        path = self._api._construct_url(
            settings.get("version", "v1"),
            settings.get("base", ""),
            settings.get("namespace"),
            settings.get("url", ""),
        )
        query = urlencode(settings.get("params") or {})
        self.asked.append(
            (method, f"{path}?{query}" if query else path, settings.get("content", ""))
        )
        return await super()._call(method, doing, **settings)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cluster", default="embedded:vrooli")
    parser.add_argument("--environment", default="dev")
    asyncio.run(_measure(parser.parse_args()))


async def _measure(arguments: argparse.Namespace) -> None:
    environment = environments.environment(arguments.environment)
    where = {"release": environment.release, "namespace": environment.namespace}
    manifests = engine.render(values.load(environment), **where)
    _, cluster = await access.find(arguments.cluster)
    rows = []
    for creates in (True, False):
        async with await Noting.connect(cluster.kubeconfig) as kube:
            site = Site.of(kube, environment.namespace, manifests, creates=creates, deep=True)
            began = time.monotonic()
            outcomes = await runner.run(catalog.ALL, site)
            rows.append((creates, time.monotonic() - began, outcomes, kube.asked))
    _, _, _, asked = rows[1]
    began = time.monotonic()
    for query in asked:
        await _by_kubectl(cluster.kubeconfig, query)
    _print(rows, len(asked), time.monotonic() - began)


async def _by_kubectl(kubeconfig: Path, query: Query) -> None:
    """Send a request again as a kubectl command; what it answers is not looked at."""
    method, path, content = query
    # The wheel has put it beside Python.
    argv = [str(Path(sys.executable).with_name("kubectl")), "--kubeconfig", str(kubeconfig)]
    if method == "GET":
        words, stdin = ["get", "--raw", path.rstrip("/")], None
    elif method == "POST":
        words, stdin = ["create", "--raw", path, "-f", "-"], content
    else:  # the dry-runs
        words, stdin = ["apply", "--server-side", "--force-conflicts", "--dry-run=server"], content
        words += ["-f", "-", *_namespace(path)]
    await process.run([*argv, *words], stdin=stdin, timeout_s=QUERY_S, check=False)


def _namespace(path: str) -> list[str]:
    parts = path.split("/")
    return ["-n", parts[parts.index("namespaces") + 1]] if "namespaces" in parts else []


def _print(rows: list[Any], queries: int, kubectl_s: float) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.release()}, ", end="")
    print(f"Python {platform.python_version()}, kubectl {wheel_version('kubectl')}\n")
    print("| what | takes, s |\n|---|---|")
    for creates, elapsed, outcomes, asked in rows:
        name = "all checks, probe pods included" if creates else "the same with --check-only"
        print(f"| {name} ({len(asked)} requests, {_states(outcomes)}) | {elapsed:.1f} |")
    quick = rows[1][1]
    print(f"| the latter's {queries} requests by kubectl, one after another | {kubectl_s:.1f} |")
    print(f"| ratio of these two (aim: {SHARE:.0f} or more) | {kubectl_s / quick:.1f} |")
    print(f"| all checks against their aim of {AIM_S:.0f} s | {rows[0][1] / AIM_S:.2f} |\n")
    print(json.dumps({one.check.name: round(one.elapsed_s, 2) for one in rows[0][2]}))


def _states(outcomes: list[Outcome]) -> str:
    return ", ".join(
        f"{count} {state}"
        for state in State
        if (count := sum(outcome.state is state for outcome in outcomes))
    )


if __name__ == "__main__":
    main()
