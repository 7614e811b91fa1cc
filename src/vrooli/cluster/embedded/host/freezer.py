"""Freezes the cgroup of a cluster: its processes stay in memory and get no CPU time.

The kernel's file is the only record of it, so that it is true after a reboot and after any kill.
Sources: freezer-subsystem.rst (v1) and cgroup-v2.rst of the kernel's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vrooli.cluster.embedded.host.inspection import parse_cgroups
from vrooli.cluster.embedded.polling import poll_until
from vrooli.errors import PrerequisiteError, VrooliError

MOUNTS = Path("/proc/self/mountinfo")
# Timeout for all processes to freeze, seconds; one that waits for a disk freezes afterwards.
FREEZE_S = 10.0


@dataclass(frozen=True)
class Freezer:
    """The files of a cgroup that freeze it.

    Attributes:
        control: The file to write to.
        frozen: The word that freezes.
        thawed: The word that thaws.
        events: The file that shows whether all processes are frozen.
        complete: The line in it if they are.
    """

    control: Path
    frozen: str
    thawed: str
    events: Path
    complete: str

    @classmethod
    def of(cls, name: str, mounts: Path = MOUNTS) -> Freezer | None:
        """The freezer of the cgroup with that name; None if the host has none."""
        v1, v2 = parse_cgroups(mounts.read_text())
        if "freezer" in v1:
            state = v1["freezer"] / name / "freezer.state"
            return cls(state, "FROZEN", "THAWED", state, "FROZEN")
        if v2 is not None:
            folder = v2 / name
            return cls(folder / "cgroup.freeze", "1", "0", folder / "cgroup.events", "frozen 1")
        return None

    def is_frozen(self) -> bool:
        """Whether it was frozen; some processes may still be freezing."""
        try:
            return self.control.read_text().strip() not in (self.thawed, "")
        except OSError:  # there is no such cgroup: the cluster does not run
            return False

    async def freeze(self) -> None:
        """Freeze all processes; if one does not freeze in time, none stays frozen.

        Raises:
            VrooliError: A process did not freeze.
        """
        self.control.write_text(self.frozen)
        try:
            if await poll_until(self._is_complete, FREEZE_S):
                return
        except BaseException:
            self.thaw()
            raise
        self.thaw()
        raise VrooliError(
            f"The processes of {self.control.parent.name} did not freeze within {FREEZE_S:.0f} s.",
            "One of them may be waiting for a disk. Run the command again.",
        )

    def thaw(self) -> None:
        """Let all processes continue."""
        self.control.write_text(self.thawed)

    async def _is_complete(self) -> bool:
        return self.complete in self.events.read_text().splitlines()


def demand(name: str) -> Freezer:
    """The freezer of the cgroup with that name.

    Raises:
        PrerequisiteError: The host has none.
    """
    freezer = Freezer.of(name)
    if freezer is None:
        raise PrerequisiteError(
            "This host cannot freeze processes: it has no cgroup freezer.",
            "Mount one below /sys/fs/cgroup, or stop the cluster: `vrooli cluster stop`.",
        )
    return freezer


def is_frozen(name: str) -> bool:
    """Whether the cgroup with that name is frozen."""
    freezer = Freezer.of(name)
    return freezer is not None and freezer.is_frozen()
