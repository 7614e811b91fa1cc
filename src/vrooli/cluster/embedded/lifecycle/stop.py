"""Stops and deletes an embedded cluster. The caller holds the cluster's lock."""

from __future__ import annotations

import contextlib
import os
import signal

from vrooli.cluster.embedded.host import autostart, cgroups, foreign_processes
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import cleanup
from vrooli.cluster.embedded.locks import holder
from vrooli.cluster.embedded.polling import poll_until
from vrooli.events import Progress
from vrooli.steps import Done

# Timeout of an orderly stop, seconds; then all processes are killed.
STOP_S = 90.0


async def stop(layout: Layout, progress: Progress) -> Done:
    """Stop all processes; the data are kept."""
    supervisor = holder(layout.supervisor_lock)
    if supervisor is not None:
        progress.report("Stopping the pods and the control plane")
        # A paused supervisor would not receive the signal.
        cgroups.thaw(probe(layout.root), layout.identity)
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)

        async def ended() -> bool:
            return holder(layout.supervisor_lock) is None

        await poll_until(ended, STOP_S)
    killed = await cleanup.clear(layout, probe(layout.root))
    return Done(supervisor is not None or killed > 0, f"{layout.name} is stopped")


async def delete(layout: Layout, progress: Progress) -> Done:
    """Kill all processes, and remove everything that the cluster created."""
    existed = layout.root.exists()
    progress.report("Killing its processes")
    await cleanup.clear(layout, probe(layout.root))
    foreign_processes.refuse_foreign_processes(layout)
    await autostart.disable(layout)
    progress.report("Removing its data")
    await cleanup.delete_data(layout)
    layout.lock.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # the folder has other clusters
        layout.root.parent.rmdir()
    return Done(existed, f"{layout.name} is deleted" if existed else f"{layout.name} is absent")
