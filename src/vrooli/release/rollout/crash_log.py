"""The end of a crashed container's log."""

from __future__ import annotations

import asyncio
import contextlib

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.pods import LogRange
from vrooli.release.rollout.failures import PodFailure

# The lines that are read.
LINES = 10
# The pause between two attempts, seconds.
PAUSE_S = 1.0


async def fetch_crash_log(
    kube: Kube, namespace: str, failure: PodFailure, *, attempts: int
) -> list[str]:
    """Read the end of a crashed container's log; empty if there is none.

    Args:
        kube: The cluster.
        namespace: The pod's namespace.
        failure: The failure of the pod.
        attempts: How often to try: between two starts, a container has no log for a moment.
    """
    for attempt in range(attempts):
        if attempt:
            await asyncio.sleep(PAUSE_S)
        for previous in (True, False):
            log = kube.logs(
                namespace,
                failure.pod,
                failure.container or None,
                part=LogRange(tail=LINES),
                previous=previous,
            )
            with contextlib.suppress(VrooliError):
                return [line async for line in log]
    return []
