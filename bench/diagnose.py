"""Time `vrooli diagnose` as a whole process, and its peak memory, in a namespace of many pods.

    uv run python bench/diagnose.py            # 5,000 pods, 2,000 events
    uv run python bench/diagnose.py --pods 500

The pods are those of the chart's Deployments, three of ten in trouble, as objects with statuses on
a bare API server of the benchmark's own; no node runs them, and one tells their logs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import apiserver, crowd, kubelet
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube

EVENTS = 2000
LOG = b"a line of a log that tells nothing of its own, as long as most are\n" * 200


def main() -> None:
    """Print rows: how long, how much of it computing, how much memory, the machine's load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=5000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with (
        tempfile.TemporaryDirectory() as home,
        apiserver.running(found, Path(home)) as kubeconfig,
        kubelet.running(Path(home), repeat(LOG)) as port,
    ):
        asyncio.run(_fill(kubeconfig, port, given.pods))
        bundle = ["--bundle", f"{home}/bundle.tar.gz", "--force"]
        for title, words in (("", []), (" with --bundle", bundle)):
            for _ in range(given.times):
                elapsed, busy, peak_mb, said = _measure(kubeconfig, words)
                print(said, file=sys.stderr)
                took = f"{elapsed:.1f} s | {busy:.1f} s of its own computing"
                used = f"{took} | {peak_mb:.0f} MB | {os.getloadavg()[0]:.1f}"
                print(f"| {given.pods} pods{title} | {used} |")


async def _fill(kubeconfig: Path, port: int, pods: int) -> None:
    async with await Kube.connect(kubeconfig) as kube:
        await kubelet.join(kube, port)
        await crowd.fill(kube, pods, EVENTS)


def _measure(kubeconfig: Path, words: list[str]) -> tuple[float, float, float, str]:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "vrooli", "diagnose", "--cluster", "context:bare", *words],
        env={
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "VROOLI_STATE_DIR": str(kubeconfig.parent / "state"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = process.stdout.read() if process.stdout else ""
    _, _, used = os.wait4(process.pid, 0)
    busy = used.ru_utime + used.ru_stime
    return time.monotonic() - began, busy, used.ru_maxrss / 1024, said[-400:]


if __name__ == "__main__":
    main()
