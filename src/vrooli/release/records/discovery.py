"""What the release in a namespace is called, where it has a name of its own."""

from __future__ import annotations

import asyncio

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.objects import labels, text
from vrooli.release.records import storage

# The chart whose releases are meant.
CHART = "vrooli"
SECRET = ("v1", "Secret")
# A slow cluster is diagnosed under the name that is expected, seconds.
LOOK_S = 3.0


async def only(kube: Kube, namespace: str) -> str | None:
    """The name of the one release of our chart in a namespace.

    None when there are more or none, or when it can't be seen: the diagnosis itself tells of that.
    """
    try:
        async with asyncio.timeout(LOOK_S):
            found = await _names(kube, namespace)
    except (VrooliError, TimeoutError):
        return None
    return found[0] if len(found) == 1 else None


async def _names(kube: Kube, namespace: str) -> list[str]:
    """The releases of our chart, each told by its newest note."""
    newest: dict[str, tuple[int, str]] = {}
    for secret in await kube.list(*SECRET, namespace, "owner=helm", names_only=True):
        marks = labels(secret)
        name, number = marks.get("name", ""), marks.get("version", "")
        if name and number.isdecimal():
            note = (int(number), text(secret, "metadata", "name"))
            newest[name] = max(note, newest.get(name, note))
    found = []
    for name, (_, newest_note) in sorted(newest.items()):
        seen = await kube.get(*SECRET, newest_note, namespace)
        if seen is not None and storage.chart_of(seen) == CHART:
            found.append(name)
    return found
