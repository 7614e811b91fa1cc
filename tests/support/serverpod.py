"""One of the server's pods, to be lost."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from support.artifacts import DEV
from vrooli.kube import Kube

LABELS = "app.kubernetes.io/name=vrooli,app.kubernetes.io/component=server,pod-template-hash"


async def name(kube: Kube) -> str:
    """One that isn't going away."""
    pods = await kube.list("v1", "Pod", DEV.namespace, LABELS)
    return str(
        next(p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"])
    )


def kill(pod: str) -> None:
    """SIGKILL to its process, as this host sees it."""
    wanted = f"HOSTNAME={pod}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)
                return
    raise RuntimeError(f"no process of {pod} was found")
