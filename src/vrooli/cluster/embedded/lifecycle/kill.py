"""Kills processes of a cluster, for drills: its components, and programs in its pods.

Only processes in the cluster's cgroup are killed: an id may have been given to another process.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.errors import PrerequisiteError

PROC = Path("/proc")


def kill_component(layout: Layout, name: str) -> int:
    """Kill the process of a component, which the supervisor starts again; returns its id.

    Raises:
        PrerequisiteError: It is not running.
    """
    report = Report.read(layout.status)
    part = report.components.get(name) if report else None
    members = cgroups.members(probe(layout.root), layout.identity, cgroups.CONTROL)
    if part is None or part.pid is None or part.pid not in members:
        raise PrerequisiteError(
            f"{name} of cluster {layout.name} is not running.",
            f"See its state: `vrooli cluster status {layout.name}`.",
        )
    os.kill(part.pid, signal.SIGKILL)
    return part.pid


def kill_in_pod(layout: Layout, pod_uid: str, program: str) -> int:
    """Kill the processes of a program in the containers of a pod; returns how many."""
    members = cgroups.members(probe(layout.root), layout.identity, cgroups.PODS)
    processes = find_in_pod(members, pod_uid, program)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(processes)


def find_in_pod(members: set[int], pod_uid: str, program: str, proc: Path = PROC) -> list[int]:
    """The processes of a program among those of all pods, by the cgroup of the pod.

    Programs that set their title, such as Redis, overwrite their environment.
    """
    folder_name, found = f"/pod{pod_uid}/", []
    for process in sorted(members):
        with contextlib.suppress(OSError):  # it has ended
            folder = proc / str(process)
            is_program = (folder / "comm").read_text().strip() == program
            if is_program and folder_name in (folder / "cgroup").read_text():
                found.append(process)
    return found
