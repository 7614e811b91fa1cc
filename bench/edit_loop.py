"""Measures the edit loop: from saving a file until the changed service answers.

Usage: `vrooli develop --watch` in one terminal, and in another one

    python bench/edit_loop.py [--environment dev] [--cluster embedded:vrooli] [--edits 50]

Each edit changes one text in a source file. The server and the page are asked through the Ingress,
the jobs through a port-forward. The files are restored at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from vrooli import environments
from vrooli.workflows.clusters import access

ROOT = Path(__file__).resolve().parents[1] / "services"
# How long one edit may take, and the pauses between requests and between edits, seconds.
LIMIT_S, POLL_S, PAUSE_S = 30.0, 0.02, 1.0


@dataclass(frozen=True)
class Subject:
    """A service, the text that its edits change, and where the changed text appears."""

    file: Path
    before: str
    after: str
    path: str
    text: str


SUBJECTS = {
    "server": Subject(
        ROOT / "server/vrooli_server/health.py",
        '"service": "server"',
        '"service": "server-{}"',
        "/api/health",
        '"server-{}"',
    ),
    "jobs": Subject(
        ROOT / "jobs/vrooli_jobs/health.py",
        '"service": "jobs"',
        '"service": "jobs-{}"',
        "/healthcheck",
        '"jobs-{}"',
    ),
    "ui": Subject(
        ROOT / "ui/src/main.tsx",
        "import { StrictMode",
        'console.debug("edit {}");\nimport {{ StrictMode',
        "/src/main.tsx",
        "edit {}",
    ),
}


@asynccontextmanager
async def addresses(environment: str, cluster: str | None) -> AsyncIterator[dict[str, str]]:
    """The address of each service."""
    where = environments.environment(environment)
    async with access.connect(cluster) as reached, contextlib.AsyncExitStack() as exits:
        labels = f"app.kubernetes.io/instance={where.release},app.kubernetes.io/component=jobs"
        pods = await reached.kube.list("v1", "Pod", where.namespace, labels)
        (pod,) = [item for item in pods if not item["metadata"].get("deletionTimestamp")]
        forward = await reached.kube.port_forward(where.namespace, pod["metadata"]["name"], 4001)
        port = await exits.enter_async_context(forward)
        http = reached.cluster.urls()["http"]
        yield {"server": http, "ui": http, "jobs": f"http://127.0.0.1:{port}"}


async def until_answered(url: str, text: str) -> None:
    """Ask until the answer contains a text."""
    async with asyncio.timeout(LIMIT_S), httpx.AsyncClient(timeout=5) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                # A new connection each time, as a proxy may keep one to the process before.
                headers = {"X-Probe": "liveness", "Connection": "close"}
                if text in (await client.get(url, headers=headers)).text:
                    return
            await asyncio.sleep(POLL_S)


async def measure(subject: Subject, address: str, edits: int) -> list[float]:
    """The durations of some edits, seconds."""
    original = subject.file.read_text()
    if original.count(subject.before) != 1:
        raise SystemExit(f"{subject.file} doesn't contain {subject.before} once.")
    durations = []
    try:
        for number in range(edits):
            changed = original.replace(subject.before, subject.after.format(number))
            began = time.monotonic()
            subject.file.write_text(changed)
            await until_answered(address + subject.path, subject.text.format(number))
            durations.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)
    finally:
        subject.file.write_text(original)
    return durations


async def main() -> None:
    """Measure, and print a line of JSON for each service."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", default="dev")
    parser.add_argument("--cluster")
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--services", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    chosen = parser.parse_args()
    async with addresses(chosen.environment, chosen.cluster) as reachable:
        for name in chosen.services:
            durations = await measure(SUBJECTS[name], reachable[name], chosen.edits)
            cuts = statistics.quantiles(durations, n=20)
            row = {
                "service": name,
                "edits": len(durations),
                "p50_s": round(statistics.median(durations), 2),
                "p95_s": round(cuts[-1], 2),
                "max_s": round(max(durations), 2),
                "load": round(os.getloadavg()[0], 1),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
