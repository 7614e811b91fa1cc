"""The objects that a watch has reported, and the version from which it continues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vrooli.kube.objects import Body, name, text, uid_of

# The events of a watch that carry an object.
CHANGES = ("ADDED", "MODIFIED", "DELETED")
# An event that carries nothing but a newer version.
BOOKMARK = "BOOKMARK"

Change = tuple[str, dict[str, Any]]


class Known:
    """The objects that whoever reads a watch knows.

    A list after an interruption is compared with them, so that a deletion in between is reported
    as well. A watch alone never reports it: it begins with the objects that exist.

    Attributes:
        version: The resource version from which the watch continues; empty if only a new list
            can tell what has changed.
    """

    def __init__(self, objects: Iterable[Body] = ()) -> None:
        self.version = ""
        self._objects = {_key(body): dict(body) for body in objects}

    def replace(self, listed: Iterable[dict[str, Any]], version: str) -> Iterator[Change]:
        """The changes that lead from the known objects to those of a list of this version."""
        before, self._objects = self._objects, {_key(body): body for body in listed}
        self.version = version
        for key, body in before.items():
            if key not in self._objects:
                yield "DELETED", body
        for key, body in self._objects.items():
            if key not in before:
                yield "ADDED", body
            elif not _version(body) or _version(body) != _version(before[key]):
                yield "MODIFIED", body

    def apply(self, event: dict[str, Any]) -> Change | None:
        """The change that an event of the watch reports, if it reports one."""
        change, body = event["type"], event["object"]
        if change not in (*CHANGES, BOOKMARK):
            # The server can't continue from this version, most often since it is too old.
            self.version = ""
            return None
        self.version = _version(body)
        if change == BOOKMARK:
            return None
        if change == "DELETED":
            self._objects.pop(_key(body), None)
        else:
            self._objects[_key(body)] = body
        return change, body


def _key(body: Body) -> str:
    return uid_of(body) or "/".join((text(body, "metadata", "namespace"), name(body)))


def _version(body: Body) -> str:
    return text(body, "metadata", "resourceVersion")
