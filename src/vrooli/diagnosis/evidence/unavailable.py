"""What could not be read, in as few lines as it takes. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.kube.unavailable import Unavailable


def grouped(unavailable: Iterable[Unavailable]) -> list[Unavailable]:
    """What couldn't be seen for one reason and of one kind, in one line.

    A list that is refused in seven namespaces is one thing to know, not seven.
    """
    groups: dict[tuple[str, str], tuple[Unavailable, list[str]]] = {}
    for item in unavailable:
        kind, _, where = item.resource.partition(" in ")
        _, places = groups.setdefault((kind, _without(item.reason, where)), (item, []))
        if where and where not in places:
            places.append(where)
    return [
        Unavailable(f"{kind} in {', '.join(places)}" if places else kind, why, first.advice)
        for (kind, why), (first, places) in groups.items()
    ]


def _without(why: str, where: str) -> str:
    """A reason without the place that it names: the same reason elsewhere is no other one."""
    return why.replace(f'in the namespace "{where}"', "there") if where else why
