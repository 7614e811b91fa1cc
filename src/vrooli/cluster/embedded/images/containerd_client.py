"""Runs containerd's own client, ctr, to stop containers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import Record
from vrooli.errors import CommandError
from vrooli.process import run

NAMESPACE = "k8s.io"  # containerd's namespace of all CRI containers and images
# Time between SIGTERM and SIGKILL for containers when the cluster stops, seconds.
END_S = 10.0
PAUSE_S = 0.1


def ctr(record: Record, socket: Path, *words: str) -> list[str]:
    """The command line of containerd's client."""
    return [record.program("ctr"), "--address", str(socket), "--namespace", NAMESPACE, *words]


def parse_tasks(listing: str) -> list[int]:
    """The processes in the output of ``ctr tasks ls``: name, process id, state."""
    rows = [line.split() for line in listing.splitlines()[1:]]
    return [int(row[1]) for row in rows if len(row) >= 3 and row[2] == "RUNNING"]  # noqa: PLR2004


async def end_containers(layout: Layout, record: Record) -> None:
    """Send SIGTERM to all containers and wait; the remaining ones are killed with the cgroup."""
    try:
        listing = await run(ctr(record, layout.containerd_socket, "tasks", "ls"), timeout_s=5)
    except CommandError:
        return  # containerd has ended: an orderly stop is not possible
    processes = parse_tasks(listing.output)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    await _until(lambda: not any(map(_alive, processes)), END_S)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def _until(true: Callable[[], bool], limit_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not true():  # noqa: ASYNC110 - other processes
                await asyncio.sleep(PAUSE_S)
