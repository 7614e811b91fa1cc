"""The entry point of the daemon: ``python -m vrooli.cluster.embedded.supervisor.daemon FOLDER``.

Started in a new mount namespace. It first does everything that can fail, so that errors reach the
command that started it, then daemonizes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import hold
from vrooli.cluster.embedded.network import firewall, namespace
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor.backoff import RECOVERED_S, backoffs
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.cluster.embedded.supervisor.supervisor import SUPERVISOR, Supervisor
from vrooli.cluster.embedded.supervisor.watchdog import Watchdog
from vrooli.errors import VrooliError
from vrooli.process import run

# Folders with a fixed path in containerd, the CNI library and the kubelet. Each cluster mounts its
# own tmpfs there, so that nothing remains after a stop.
PRIVATE_FOLDERS = ("/run/containerd", "/var/lib/cni", "/var/log/containers")
# The file descriptors of the supervisor, and of the components and pods, which inherit the limit.
DESCRIPTORS = 65_536
# How long the components of a killed supervisor may take to end, seconds. The kernel kills them
# with it; one that waits for a disk ends when the disk answers.
ORPHAN_TIMEOUT_S, ORPHAN_PAUSE_S = 60.0, 0.05


def main() -> int:
    """Prepare, daemonize, supervise; the exit status reports the result of the preparation."""
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
        disabled = asyncio.run(_prepare(layout, record))
    except VrooliError as error:
        sys.stderr.write(f"{error.message}\n{error.advice}\n")
        return error.exit_code
    raise_descriptor_limit()
    _daemonize(layout)
    _write_pid(lock)
    pauses = backoffs()

    def next_pause_s(lived_s: float) -> float:
        nonlocal pauses
        if lived_s > RECOVERED_S:
            pauses = backoffs()
        return next(pauses)

    def supervise(watchdog_pipe: int) -> int:
        return _supervise(layout, record, disabled, watchdog_pipe, lock)

    return Watchdog(supervise, lambda: _kill_orphans(layout), next_pause_s).run()


async def _prepare(layout: Layout, record: Record) -> dict[str, str]:
    """Create the cgroup, mounts and network; returns the disabled components with the reasons."""
    cgroups.join(probe(layout.root), layout.identity)
    # Slave of the host's mounts, so that ours stay here; shared below, as the kubelet and
    # containers that pass mounts on expect of a host.
    await run(["mount", "--make-rshared", "/"])
    for folder in PRIVATE_FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
        await run(["mount", "-t", "tmpfs", "-o", "mode=0711", "vrooli", folder])
    if record.volumes:
        await show_volumes(layout, Path(record.volumes))
    await namespace.connect(layout, record.host_link)
    await firewall.close_link(layout)
    error = await firewall.prepare(layout)
    return {"kube-router": f"network policies aren't enforced: {error}"} if error else {}


async def show_volumes(layout: Layout, path: Path) -> None:
    """Show the volumes of a fork at the path of its origin, in this mount namespace only.

    The origin's folder may be deleted or replaced while the fork runs, which would remove a mount
    in it. So the folder of all clusters is replaced, and contains this cluster under both names.
    """
    clusters, aside = layout.root.parent, Path(PRIVATE_FOLDERS[0]) / "fork"
    aside.mkdir()
    await run(["mount", "--bind", layout.root, aside])
    await run(["mount", "-t", "tmpfs", "-o", "mode=0700", "vrooli", clusters])
    for source, target in ((aside, layout.root), (aside / layout.storage.name, path)):
        target.mkdir(parents=True)
        await run(["mount", "--bind", source, target])
    await run(["umount", aside])


def raise_descriptor_limit() -> None:
    """Allow more file descriptors, up to the hard limit: connections and logs need many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _daemonize(layout: Layout) -> None:
    """Daemonize: a child continues in a new session, the parent exits."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    null_input = os.open(os.devnull, os.O_RDONLY)
    log = os.open(layout.log(SUPERVISOR), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((null_input, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def _write_pid(lock: int) -> None:
    """Write the id of the process to signal into the lock file."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _kill_orphans(layout: Layout) -> None:
    """Kill the components of a killed supervisor, and report them as not running.

    The next supervisor starts new ones, which need the same ports and files.
    """
    report = Report.read(layout.status)
    if report is None:
        return
    components = {part.pid for part in report.components.values() if part.pid}
    deadline = time.monotonic() + ORPHAN_TIMEOUT_S
    # An id that was given to another process meanwhile is not in the cluster's cgroup.
    while orphans := components & cgroups.members(probe(layout.root), layout.identity):
        if time.monotonic() > deadline:
            sys.stderr.write(f"The processes {sorted(orphans)} don't end.\n")
            break
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(ORPHAN_PAUSE_S)
    try:
        report.after_restart().write(layout.status)
    except OSError as error:
        sys.stderr.write(f"The status can't be written: {error}\n")


def _supervise(
    layout: Layout, record: Record, disabled: Mapping[str, str], watchdog_pipe: int, lock: int
) -> int:
    supervisor = Supervisor(layout, record, disabled, previous=Report.read(layout.status))

    def handle_watchdog_exit() -> None:
        sys.stderr.write(
            "The supervisor's watchdog has ended; the supervisor is no longer restarted.\n"
        )
        sys.stderr.flush()
        _write_pid(lock)

    try:
        asyncio.run(supervisor.run(watchdog_pipe, handle_watchdog_exit))
    except Exception as error:  # noqa: BLE001 - write any error to the log before the daemon exits
        traceback.print_exc()
        sys.stderr.flush()
        last_report = Report.read(layout.status) or Report(os.getpid(), "failed", time.time())
        replace(last_report, phase="failed", detail=repr(error)).write(layout.status)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
