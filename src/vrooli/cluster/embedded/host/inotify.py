"""The inotify limits of the host's root user, and how much of them is in use.

The limits count per user, and all components of a cluster run as root. At the limit, kubelet,
kube-proxy and `kubectl logs --follow` fail with "too many open files".
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

LIMITS = Path("/proc/sys/fs/inotify")
INSTANCES, WATCHES = "max_user_instances", "max_user_watches"
# A running cluster has 20 instances of root: kubelet 6, API server 6, controller manager 5,
# containerd 2, kube-proxy 1. The rest is for followed logs and root's containers.
NEEDED_INSTANCES = 32
# The kubelet and the components watch a few hundred files.
NEEDED_WATCHES = 4096
# Limits that are sufficient for several clusters and an editor.
SUFFICIENT = {INSTANCES: 1024, WATCHES: 524288}
LINK = "anon_inode:inotify"


@dataclass(frozen=True)
class Inotify:
    """The limits of inotify.

    Attributes:
        instances: The limit of instances; None if unknown.
        used: The number of instances that root uses.
        watches: The limit of watches; None if unknown.
    """

    instances: int | None = None
    used: int = 0
    watches: int | None = None

    def missing(self) -> list[str]:
        """The limits that are too low for a cluster, with commands to raise them."""
        messages = []
        if self.instances is not None and self.instances - self.used < NEEDED_INSTANCES:
            messages.append(
                f"fs.inotify.{INSTANCES} is {self.instances}, and root uses {self.used} of them; "
                f"a cluster needs {NEEDED_INSTANCES}: {_command(INSTANCES)}"
            )
        if self.watches is not None and self.watches < NEEDED_WATCHES:
            messages.append(
                f"fs.inotify.{WATCHES} is {self.watches}, {NEEDED_WATCHES} are required: "
                f"{_command(WATCHES)}"
            )
        return messages


def _command(name: str) -> str:
    return (
        f"run `sysctl -w fs.inotify.{name}={SUFFICIENT[name]}`, and add it to a file in "
        "/etc/sysctl.d to keep it after a reboot."
    )


def probe(limits: Path = LIMITS, processes: Path = Path("/proc")) -> Inotify:
    """Read the limits, and count the instances of root's processes."""
    return Inotify(
        _number(limits / INSTANCES),
        sum(_instances(folder) for folder in processes.glob("[0-9]*")),
        _number(limits / WATCHES),
    )


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _instances(process: Path) -> int:
    count = 0
    with contextlib.suppress(OSError):  # it ended, or belongs to another user namespace
        if process.stat().st_uid != 0:
            return 0
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                count += str(descriptor.readlink()) == LINK
    return count
