"""Group what could not be read. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.kube.unavailable import Unavailable


def grouped(unavailable: Iterable[Unavailable]) -> list[Unavailable]:
    """Merge the entries of one kind with the same reason.

    A list that is denied in seven namespaces becomes one entry.
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
    """A reason without its namespace, so that equal reasons can be compared."""
    return why.replace(f'in the namespace "{where}"', "there") if where else why
