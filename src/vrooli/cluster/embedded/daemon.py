"""How a supervisor comes to live: ``python -m vrooli.cluster.embedded.daemon <cluster folder>``.

Started in a new mount namespace. It prepares everything that can fail while whoever started it
still listens, then goes into the background.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vrooli.cluster.embedded import cgroups, firewall, network, reports
from vrooli.cluster.embedded.host import probe
from vrooli.cluster.embedded.keeper import Keeper
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import hold
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor import RECOVERED_S, Supervisor, backoffs
from vrooli.errors import VrooliError
from vrooli.process import run

# Folders whose place is fixed in containerd, the CNI library and the kubelet. Each cluster sees
# its own there, on a file system in memory: like after a reboot, nothing lasts beyond a stop.
PRIVATE_FOLDERS = ("/run/containerd", "/var/lib/cni", "/var/log/containers")
# How long the components of a killed supervisor may take to end, seconds. The kernel kills them
# with it; one that waits for a disk ends when the disk answers.
LEFT_S, LEFT_PAUSE_S = 60.0, 0.05


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
    _sign(lock)
    pauses = backoffs()

    def pause(lived_s: float) -> float:
        nonlocal pauses
        if lived_s > RECOVERED_S:
            pauses = backoffs()
        return next(pauses)

    def supervise(keeper: int) -> int:
        return _supervise(layout, record, lacks, keeper, lock)

    return Keeper(supervise, lambda: _end_left(layout), pause).run()


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


def _sign(lock: int) -> None:
    """Say in the lock which process to ask to end."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _end_left(layout: Layout) -> None:
    """End the components that a killed supervisor left, and say that none of them runs.

    The next one starts its own: two of a kind would fight for ports and files.
    """
    report = reports.Report.read(layout.status)
    if report is None:
        return
    components = {part.pid for part in report.components.values() if part.pid}
    deadline = time.monotonic() + LEFT_S
    # An id that was given to another process meanwhile is not in the cluster's cgroup.
    while left := components & cgroups.members(probe(layout.root), layout.identity):
        if time.monotonic() > deadline:
            sys.stderr.write(f"The processes {sorted(left)} don't end.\n")
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LEFT_PAUSE_S)
    try:
        report.after_restart().write(layout.status)
    except OSError as error:
        sys.stderr.write(f"The status can't be written: {error}\n")


def _supervise(
    layout: Layout, record: Record, lacks: Mapping[str, str], keeper: int, lock: int
) -> int:
    supervisor = Supervisor(layout, record, lacks, before=reports.Report.read(layout.status))

    def go_on_alone() -> None:
        sys.stderr.write("The supervisor's keeper is gone; nothing starts it again now.\n")
        sys.stderr.flush()
        _sign(lock)

    try:
        asyncio.run(supervisor.run(keeper, go_on_alone))
    except Exception as error:  # noqa: BLE001 - the daemon's last word; nobody else would say it
        traceback.print_exc()
        sys.stderr.flush()
        known = reports.Report.read(layout.status) or reports.Report(
            os.getpid(), "failed", time.time()
        )
        replace(known, phase="failed", detail=repr(error)).write(layout.status)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
