"""Who is at work on a release: for people, and so that a dead process is known at once.

A process that was killed can't let go. Another on the same machine sees that it is gone; from
elsewhere only its silence tells.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from pathlib import Path

PROC = Path("/proc")
# A process' start, counted from its state, which follows its name's last bracket (proc(5)).
START_FIELD = 19


def name() -> str:
    """This process, for people."""
    return f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"


def process() -> str:
    """This process among all of all machines; empty where the system has no /proc."""
    try:
        machine, started = _machine(), _started(os.getpid())
    except OSError:
        return ""
    return f"{machine}/{os.getpid()}/{started}" if machine and started else ""


def is_dead(other: str) -> bool:
    """Whether a process of this machine has ended; nothing is known of another machine's."""
    machine, _, rest = other.partition("/")
    pid, _, started = rest.partition("/")
    if not pid.isdigit() or not started or machine != _machine():
        return False
    try:
        return _started(int(pid)) != started
    except OSError:  # it may not be looked at, or not now
        return False


def _machine() -> str:
    """This start of this machine, and which of its views of processes this is."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (PROC / "self/ns/pid").readlink().name
    except OSError:
        return ""
    return f"{boot}+{space.strip('pid:[]')}"


def _started(pid: int) -> str:
    """When a process started, in ticks since the machine's start; empty when there is none.

    Raises:
        OSError: It can't be told.
    """
    try:
        words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return _zombie_or_missing(pid)
    return "" if words[0] == "Z" else words[START_FIELD]


def _zombie_or_missing(pid: int) -> str:
    """Nothing, of a process that is gone.

    Raises:
        PermissionError: There is one; /proc hides those of others (hidepid).
    """
    with contextlib.suppress(ProcessLookupError, OverflowError):
        os.kill(pid, 0)
    return ""
