"""Measure all checks run concurrently, and the same requests run sequentially with kubectl.

    uv run python bench/check.py                             # on the embedded cluster "vrooli"
    uv run python bench/check.py --cluster embedded:other

The requests of the checks to the API server are recorded and then repeated with kubectl, one after
another. Watches, logs, port-forwards and requests to Vault are omitted, in favor of kubectl.
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
from vrooli.programs.versions import wheel_version
from vrooli.workflows.clusters import access

TARGET_S, TARGET_RATIO = 10.0, 5.0
# Timeout of a kubectl command, seconds.
QUERY_S = 60.0
Query = tuple[str, str, str]


class RecordingKube(Kube):
    """A client that records its requests."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.requests: list[Query] = []

    async def _call(self, method: str, action: str, **settings: Any) -> httpx.Response:
        path = self._api._construct_url(
            settings.get("version", "v1"),
            settings.get("base", ""),
            settings.get("namespace"),
            settings.get("url", ""),
        )
        query = urlencode(settings.get("params") or {})
        self.requests.append(
            (method, f"{path}?{query}" if query else path, settings.get("content", ""))
        )
        return await super()._call(method, action, **settings)


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
    manifests = engine.render(
        values.load(environment), release=environment.release, namespace=environment.namespace
    )
    _, cluster = await access.find(arguments.cluster)
    rows = []
    for creates in (True, False):
        async with await RecordingKube.connect(cluster.kubeconfig) as kube:
            site = Site.of(kube, environment.namespace, manifests, creates=creates, deep=True)
            start = time.monotonic()
            outcomes = await runner.run(catalog.ALL, site)
            rows.append((creates, time.monotonic() - start, outcomes, kube.requests))
    _, _, _, requests = rows[1]
    start = time.monotonic()
    for query in requests:
        await _by_kubectl(cluster.kubeconfig, query)
    _print(rows, len(requests), time.monotonic() - start)


async def _by_kubectl(kubeconfig: Path, query: Query) -> None:
    """Repeat a request with kubectl; the response is ignored."""
    method, path, content = query
    # The wheel installs it next to Python.
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
    print("| measurement | duration, s |\n|---|---|")
    for creates, elapsed, outcomes, requests in rows:
        name = "all checks, including probe pods" if creates else "the same with --check-only"
        print(f"| {name} ({len(requests)} requests, {_states(outcomes)}) | {elapsed:.1f} |")
    checks_s = rows[1][1]
    print(f"| the latter's {queries} requests with kubectl, sequentially | {kubectl_s:.1f} |")
    print(
        f"| ratio of these two (target: {TARGET_RATIO:.0f} or more) | {kubectl_s / checks_s:.1f} |"
    )
    print(
        f"| all checks relative to the target of {TARGET_S:.0f} s | {rows[0][1] / TARGET_S:.2f} |\n"
    )
    print(json.dumps({outcome.check.name: round(outcome.elapsed_s, 2) for outcome in rows[0][2]}))


def _states(outcomes: list[Outcome]) -> str:
    return ", ".join(
        f"{count} {state}"
        for state in State
        if (count := sum(outcome.state is state for outcome in outcomes))
    )


if __name__ == "__main__":
    main()
