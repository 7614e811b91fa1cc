"""What the supervisor says about the components, in run/status.json."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vrooli.cluster.embedded.settings import write_whole
from vrooli.cluster.interface import ComponentStatus

WAITING, STARTING, RUNNING, FAILED, STOPPED = "waiting", "starting", "running", "failed", "stopped"


@dataclass(frozen=True)
class Report:
    """The supervisor's view.

    Attributes:
        supervisor: Its process id.
        phase: starting, running, stopping, stopped or failed.
        components: Each component's state, by name.
        detail: Why it failed, or empty.
    """

    supervisor: int
    phase: str
    components: dict[str, ComponentStatus] = field(default_factory=dict)
    detail: str = ""

    def ready(self, *names: str) -> bool:
        """Whether the components (all, without names) run and are ready."""
        states = [self.components.get(name) for name in names or self.components]
        return bool(states) and all(
            found is not None and found.state == RUNNING for found in states
        )

    def with_component(self, status: ComponentStatus) -> Report:
        """The report with a component's new state."""
        return replace(self, components={**self.components, status.name: status})

    def write(self, path: Path) -> None:
        """Publish it; readers see the old or the new one."""
        write_whole(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Report | None:
        """What was last published, or None."""
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        parts = {name: ComponentStatus(**part) for name, part in data.pop("components").items()}
        return cls(components=parts, **data)


def hold(path: Path) -> int | None:
    """Take a lock for as long as this process lives, and write its id into it.

    Returns:
        The lock's descriptor, or None when another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def holder(path: Path) -> int | None:
    """The process that holds a lock, or None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or b"0")
    finally:
        os.close(descriptor)
    return None
