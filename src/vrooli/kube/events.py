"""Events of the core and the events.k8s.io API. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vrooli.kube.objects import Body, Ref, dig, number, text
from vrooli.kube.times import parse_time


@dataclass(frozen=True)
class Event:
    """One event of the cluster.

    Attributes:
        about: The object that it is about (`involvedObject` or `regarding`).
        type: Normal or Warning.
        reason: The event's reason, such as FailedScheduling.
        message: The message for people.
        count: How often it occurred.
        last: When it last occurred; None if the event does not say.
        source: The component that reported it, such as kubelet.
        first: When it first occurred; None if the event does not say.
        uid: The UID of that object; empty if the event does not say.
    """

    about: Ref
    type: str
    reason: str
    message: str
    count: int = 1
    last: datetime | None = None
    source: str = ""
    first: datetime | None = None
    uid: str = ""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.reason} {self.about}: {self.message.strip()}{times}"


def parse_events(events: Iterable[Body]) -> list[Event]:
    """Parse Events, the oldest first; those without a time come before all others."""
    return sort_events(map(_parse_event, events))


def sort_events(events: Iterable[Event]) -> list[Event]:
    """The events, the oldest first."""
    return sorted(events, key=lambda item: item.last.timestamp() if item.last else 0.0)


def _parse_event(event: Body) -> Event:
    of = dig(event, "involvedObject") or dig(event, "regarding")
    return Event(
        about=Ref(text(of, "kind"), text(of, "name"), text(of, "namespace")),
        type=text(event, "type"),
        reason=text(event, "reason"),
        message=text(event, "message") or text(event, "note"),
        count=number(event, "series", "count", default=number(event, "count", default=1)),
        last=_time(event),
        source=text(event, "source", "component") or text(event, "reportingComponent"),
        first=parse_time(text(event, "firstTimestamp")),
        uid=text(of, "uid"),
    )


def _time(event: Body) -> datetime | None:
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",)):
        if time := parse_time(text(event, *path)):
            return time
    return parse_time(text(event, "metadata", "creationTimestamp"))
