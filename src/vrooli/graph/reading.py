"""Reading objects whose shape nobody promises: what isn't there is empty, never an error.

No I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

Body = Mapping[str, Any]
# A host with a port in a value that may be a URL, or a list of such.
_HOST_PORT = re.compile(r"^(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?$")


def mapping(body: Any, *path: str) -> Body:
    """The mapping at a path; empty where there is none."""
    value = at(body, *path)
    return value if isinstance(value, Mapping) else {}


def items(body: Any, *path: str) -> list[Any]:
    """The list at a path; empty where there is none."""
    value = at(body, *path)
    return value if isinstance(value, list) else []


def text(body: Any, *path: str) -> str:
    """The text at a path; numbers become one, everything else is empty."""
    value = at(body, *path)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def number(body: Any, *path: str, default: int = 0) -> int:
    """The number at a path."""
    value = at(body, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def at(body: Any, *path: str) -> Any:
    """Whatever is at a path; None where nothing is."""
    for key in path:
        if not isinstance(body, Mapping):
            return None
        body = body.get(key)
    return body


def name_of(body: Any) -> str:
    """An object's name."""
    return text(body, "metadata", "name")


def labels_of(body: Any) -> dict[str, str]:
    """An object's labels."""
    return {str(key): str(value) for key, value in mapping(body, "metadata", "labels").items()}


def addresses(value: str) -> Iterator[tuple[str, int]]:
    """The hosts with ports that a setting names: a URL, host:port, or several with commas.

    The port is 0 where none is named.
    """
    for part in str(value).split(","):
        address = part.strip()
        if "://" in address:
            try:
                split = urlsplit(address)
                host, port = split.hostname or "", split.port or 0
            except ValueError:
                continue
            if host:
                yield host, port
            continue
        match = _HOST_PORT.match(address)
        if match:
            yield match["host"], int(match["port"] or 0)


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of the API selects these labels; an empty one selects all."""
    labels_required = mapping(selector, "matchLabels")
    if any(labels.get(str(key)) != str(value) for key, value in labels_required.items()):
        return False
    return all(_matches(item, labels) for item in items(selector, "matchExpressions"))


def _matches(expression: Any, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(text(expression, "key")), items(expression, "values")
    match text(expression, "operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
