"""The hosts and ports that a setting names. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

_HOST = re.compile(r"^(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?$")


def parse_addresses(value: str) -> Iterator[tuple[str, int]]:
    """The hosts with ports that a setting names: a URL, host:port, or several with commas.

    The port is 0 where none is named.
    """
    for part in str(value).split(","):
        item = part.strip()
        if "://" in item:
            try:
                split = urlsplit(item)
                host, port = split.hostname or "", split.port or 0
            except ValueError:
                continue
            if host:
                yield host, port
        elif match := _HOST.match(item):
            yield match["host"], int(match["port"] or 0)
