"""The identity of this process, for people and for other processes of the same machine.

A process that was killed can't release its Lease. Another process of the same machine can detect
that it is gone; on other machines, only the Lease's expiry shows it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from pathlib import Path

PROC = Path("/proc")
# The field of the start time, counted from the state after the name's last bracket (proc(5)).
START_FIELD = 19


def name() -> str:
    """This process, for people."""
    return f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"


def process() -> str:
    """A unique identity of this process and machine; empty on systems without /proc."""
    try:
        machine, started = _machine(), _started(os.getpid())
    except OSError:
        return ""
    return f"{machine}/{os.getpid()}/{started}" if machine and started else ""


def is_dead(other: str) -> bool:
    """Whether a process of this machine has ended; False for other machines."""
    machine, _, rest = other.partition("/")
    pid, _, started = rest.partition("/")
    if not pid.isdigit() or not started or machine != _machine():
        return False
    try:
        return _started(int(pid)) != started
    except OSError:  # not readable
        return False


def is_alive(other: str) -> bool:
    """Whether a process of this machine runs; False for other machines."""
    machine = other.partition("/")[0]
    return bool(machine) and machine == _machine() and not is_dead(other)


def _machine() -> str:
    """The machine's boot and this PID namespace."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (PROC / "self/ns/pid").readlink().name
    except OSError:
        return ""
    return f"{boot}+{space.strip('pid:[]')}"


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; empty if it does not exist.

    Raises:
        OSError: It can't be read.
    """
    try:
        words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return _zombie_or_missing(pid)
    return "" if words[0] == "Z" else words[START_FIELD]


def _zombie_or_missing(pid: int) -> str:
    """Return an empty text for a process that does not exist.

    Raises:
        PermissionError: It exists; /proc hides other users' processes (hidepid).
    """
    with contextlib.suppress(ProcessLookupError, OverflowError):
        os.kill(pid, 0)
    return ""
