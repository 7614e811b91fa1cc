"""Measure duration and peak memory of `vrooli diagnose` in a namespace with many pods.

    uv run python bench/diagnose.py            # 5,000 pods, 2,000 events
    uv run python bench/diagnose.py --pods 500

The pods of the chart's Deployments, 30 % of them failing, are objects with statuses on a separate
API server. They don't run; a fake kubelet returns logs.
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

from support.cluster import api_server, kubelet
from support.failures import many_pods
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube

EVENTS = 2000
LOG = b"an uninformative line of a log with a length that is common in logs\n" * 200


def main() -> None:
    """Print rows with duration, CPU time, memory and the load of the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=5000)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    binaries = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with (
        tempfile.TemporaryDirectory() as home,
        api_server.running(binaries, Path(home)) as kubeconfig,
        kubelet.running(Path(home), repeat(LOG)) as port,
    ):
        asyncio.run(_fill(kubeconfig, port, arguments.pods))
        bundle = ["--bundle", f"{home}/bundle.tar.gz", "--force"]
        for title, words in (("", []), (" with --bundle", bundle)):
            for _ in range(arguments.times):
                elapsed, cpu_s, peak_mb, output = _measure(kubeconfig, words)
                print(output, file=sys.stderr)
                times = f"{elapsed:.1f} s | {cpu_s:.1f} s of CPU time"
                usage = f"{times} | {peak_mb:.0f} MB | {os.getloadavg()[0]:.1f}"
                print(f"| {arguments.pods} pods{title} | {usage} |")


async def _fill(kubeconfig: Path, port: int, pods: int) -> None:
    async with await Kube.connect(kubeconfig) as kube:
        await kubelet.join(kube, port)
        await many_pods.fill(kube, pods, EVENTS)


def _measure(kubeconfig: Path, words: list[str]) -> tuple[float, float, float, str]:
    start = time.monotonic()
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
    output = process.stdout.read() if process.stdout else ""
    _, _, used = os.wait4(process.pid, 0)
    cpu_s = used.ru_utime + used.ru_stime
    return time.monotonic() - start, cpu_s, used.ru_maxrss / 1024, output[-400:]


if __name__ == "__main__":
    main()
