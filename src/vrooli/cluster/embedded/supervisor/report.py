"""The supervisor's report about the components, in run/status.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vrooli.cluster.embedded.host.suspension import Suspension
from vrooli.cluster.interface import ComponentStatus
from vrooli.files import write_atomically

WAITING, STARTING, RUNNING, FAILED, STOPPED = "waiting", "starting", "running", "failed", "stopped"
# Not started: the host does not support the component, and the cluster works without it.
OFF = "off"


@dataclass(frozen=True)
class Report:
    """The status of all components.

    Attributes:
        supervisor: Its process id.
        phase: starting, running, stopping, stopped or failed.
        since: When it was started, seconds since the epoch.
        components: Each component's state, by name.
        detail: Why it failed, or empty.
        suspension: The last period in which nothing ran, if any.
    """

    supervisor: int
    phase: str
    since: float
    components: dict[str, ComponentStatus] = field(default_factory=dict)
    detail: str = ""
    suspension: Suspension | None = None

    def ready(self, *names: str) -> bool:
        """Whether the components (all, without names) run and are ready, as far as they can."""
        states = [self.components.get(name) for name in names or self.components]
        return bool(states) and all(
            status is not None and status.state in (RUNNING, OFF) for status in states
        )

    def missing_features(self) -> list[str]:
        """The features that are disabled on this host, and what a component could not do."""
        return [
            status.detail
            for status in self.components.values()
            if status.state in (OFF, RUNNING) and status.detail
        ]

    def with_component(self, status: ComponentStatus) -> Report:
        """The report with a component's new state."""
        return replace(self, components={**self.components, status.name: status})

    def after_restart(self) -> Report:
        """The report of a supervisor that takes over from one that failed or was killed.

        The start time of the cluster and its pods stays the same; all components are restarted.
        """
        parts = {
            name: part
            if part.state == OFF
            else replace(part, state=WAITING, pid=None, restarts=part.restarts + 1)
            for name, part in self.components.items()
        }
        return replace(self, phase="starting", components=parts, detail="")

    def write(self, path: Path) -> None:
        """Write it atomically."""
        write_atomically(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Report | None:
        """The last report; None if there is none or it cannot be parsed."""
        try:
            data = json.loads(path.read_text())
            parts = {name: ComponentStatus(**part) for name, part in data.pop("components").items()}
            suspension = data.pop("suspension", None)
            last = Suspension(**suspension) if suspension else None
            return cls(components=parts, suspension=last, **data)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError, KeyError):
            # Written by another version, or damaged; the supervisor rewrites it at each change.
            return None
