"""One of the server's pods, to be lost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from support.release.artifacts import DEV
from vrooli.kube import Kube

LABELS = "app.kubernetes.io/name=vrooli,app.kubernetes.io/component=server,pod-template-hash"
# How long a killed process may take to be gone, seconds.
DELETED_S = 60.0


async def name(kube: Kube) -> str:
    """One that isn't going away."""
    pods = await kube.list("v1", "Pod", DEV.namespace, LABELS)
    return str(
        next(p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"])
    )


def kill(pod: str) -> None:
    """SIGKILL to its process, as this host sees it; returns when that is gone.

    Until the kernel has taken it down its socket still accepts connections, which then break.
    """
    process = _process(f"HOSTNAME={pod}".encode())
    handle = os.pidfd_open(process)
    try:
        os.kill(process, signal.SIGKILL)
        if not select.select([handle], [], [], DELETED_S)[0]:
            raise RuntimeError(f"the process of {pod} still runs {DELETED_S} s after its SIGKILL")
    finally:
        os.close(handle)


def _process(variable: bytes) -> int:
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if variable in environ.read_bytes().split(b"\0"):
                return int(environ.parent.name)
    raise RuntimeError(f"no process has {variable.decode()}")
