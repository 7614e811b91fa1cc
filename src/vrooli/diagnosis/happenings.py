"""The cluster's events, in the two shapes that Kubernetes gives them. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from vrooli.diagnosis.evidence import Happening
from vrooli.diagnosis.objects import Body, Ref, dig, number, text


def read(events: Iterable[Body]) -> list[Happening]:
    """The events, the oldest first; those without a time come before all others."""
    return in_order(map(_of_one, events))


def in_order(happenings: Iterable[Happening]) -> list[Happening]:
    """The same, the oldest first."""
    return sorted(happenings, key=lambda item: item.last.timestamp() if item.last else 0.0)


def _of_one(event: Body) -> Happening:
    of = dig(event, "involvedObject") or dig(event, "regarding")
    return Happening(
        about=Ref(text(of, "kind"), text(of, "name"), text(of, "namespace")),
        type=text(event, "type"),
        reason=text(event, "reason"),
        message=text(event, "message") or text(event, "note"),
        count=number(event, "series", "count", default=number(event, "count", default=1)),
        last=_time(event),
        source=text(event, "source", "component") or text(event, "reportingComponent"),
        first=moment(text(event, "firstTimestamp")),
    )


def _time(event: Body) -> datetime | None:
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",)):
        if found := moment(text(event, *path)):
            return found
    return moment(text(event, "metadata", "creationTimestamp"))


def moment(value: str) -> datetime | None:
    """A time of Kubernetes', or None where it is none."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None
