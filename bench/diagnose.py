"""Time `vrooli diagnose` as a whole process, and its peak memory, in a namespace of many pods.

    uv run python bench/diagnose.py            # 5,000 pods
    uv run python bench/diagnose.py --pods 500

The pods are objects with statuses on a bare API server of the benchmark's own; no node runs them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import apiserver
from support.evidence import pod_of
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube

AT_ONCE = 40


def main() -> None:
    """Run the benchmark and print its row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=5000)
    count = parser.parse_args().pods
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with (
        tempfile.TemporaryDirectory() as home,
        apiserver.running(found, Path(home)) as kubeconfig,
    ):
        asyncio.run(_fill(kubeconfig, count))
        elapsed, peak_mb, said = _measure(kubeconfig)
    print(said, file=sys.stderr)
    print(f"| {count} pods | {elapsed:.1f} s | {peak_mb:.0f} MB |")


async def _fill(kubeconfig: Path, count: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    async with await Kube.connect(kubeconfig) as kube:
        await kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}})

        async def one(number: int) -> None:
            body: dict[str, Any] = {"apiVersion": "v1", **pod_of("vrooli-dev-server")}
            body["metadata"]["name"] = f"vrooli-dev-server-5d9c7b-{number:05d}"
            body["metadata"].pop("ownerReferences", None)  # wants a uid
            async with gate:
                await kube.create(body, "dev")
                await kube._object_call(
                    "PATCH",
                    "set a status",
                    "v1",
                    "Pod",
                    f"{body['metadata']['name']}/status",
                    "dev",
                    json={"status": body["status"]},
                    headers={"content-type": "application/merge-patch+json"},
                )

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(one(number))


def _measure(kubeconfig: Path) -> tuple[float, float, str]:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "vrooli", "diagnose", "--cluster", "context:bare"],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = process.stdout.read() if process.stdout else ""
    _, _, used = os.wait4(process.pid, 0)
    return time.monotonic() - began, used.ru_maxrss / 1024, said[-400:]


if __name__ == "__main__":
    main()
