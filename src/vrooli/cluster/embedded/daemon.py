"""How a supervisor comes to live: ``python -m vrooli.cluster.embedded.daemon <cluster folder>``.

Started in a new mount namespace. It prepares everything that can fail while whoever started it
still listens, then goes into the background.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vrooli.cluster.embedded import cgroups, firewall, network, reports
from vrooli.cluster.embedded.host import probe
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import hold
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor import Supervisor
from vrooli.errors import VrooliError
from vrooli.process import run

# Folders whose place is fixed in containerd, the CNI library and the kubelet. Each cluster sees
# its own there, on a file system in memory: like after a reboot, nothing lasts beyond a stop.
PRIVATE_FOLDERS = ("/run/containerd", "/var/lib/cni", "/var/log/containers")


def main() -> int:
    """Prepare, go into the background, supervise; the exit status tells whoever waits."""
    layout = Layout(Path(sys.argv[1]))
    record = Record.read(layout.record)
    if record is None:
        sys.stderr.write(f"There is no cluster in {layout.root}.\n")
        return 2
    lock = hold(layout.supervisor_lock)
    if lock is None:
        sys.stderr.write(f"Another supervisor runs for {layout.root}.\n")
        return 1
    try:
        lacks = asyncio.run(_prepare(layout, record))
    except VrooliError as error:
        sys.stderr.write(f"{error.message}\n{error.advice}\n")
        return error.exit_code
    _into_background(layout)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return _supervise(layout, record, lacks)


async def _prepare(layout: Layout, record: Record) -> dict[str, str]:
    """Make what the components live in; gives those that can't live there, and why."""
    cgroups.join(probe(layout.root), layout.identity)
    # Slave of the host's mounts, so that ours stay here; shared below, as the kubelet and
    # containers that pass mounts on expect of a host.
    await run(["mount", "--make-rshared", "/"])
    for folder in PRIVATE_FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
        await run(["mount", "-t", "tmpfs", "-o", "mode=0711", "vrooli", folder])
    await network.connect(layout, record.cable)
    lack = await firewall.prepare(layout)
    return {"kube-router": f"network policies aren't enforced: {lack}"} if lack else {}


def _into_background(layout: Layout) -> None:
    """Leave whoever started us: a child in a session of its own goes on, the parent ends."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(layout.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def _supervise(layout: Layout, record: Record, lacks: Mapping[str, str]) -> int:
    try:
        asyncio.run(Supervisor(layout, record, lacks).run())
    except Exception as error:  # noqa: BLE001 - the daemon's last word; nobody else would say it
        traceback.print_exc()
        known = reports.Report.read(layout.status) or reports.Report(
            os.getpid(), "failed", time.time()
        )
        replace(known, phase="failed", detail=repr(error)).write(layout.status)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
