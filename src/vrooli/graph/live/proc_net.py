"""Parses the TCP connections of a pod: /proc/net/tcp and tcp6. No I/O here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

# Linux' numbers of the states that show traffic: open, and closed within the last minute.
ESTABLISHED, TIME_WAIT = 0x01, 0x06
# Four-byte words in the byte order of the machine; all supported ones are little-endian.
_WORD = 8


@dataclass(frozen=True)
class Socket:
    """One connection of a pod.

    Attributes:
        local: The address and port on the pod's side.
        remote: The address and port of the other side.
        is_open: Whether it is open; else it was closed within the last minute.
    """

    local: tuple[str, int]
    remote: tuple[str, int]
    is_open: bool


def parse(text: str) -> tuple[Socket, ...]:
    """The connections in a table; other lines are ignored."""
    return tuple(_rows(text))


def _rows(text: str) -> Iterator[Socket]:
    for line in text.splitlines():
        fields = line.split()
        # "0: 0100007F:1538 00000000:0000 0A …", below a heading.
        if len(fields) < 4 or not fields[0].endswith(":"):  # noqa: PLR2004
            continue
        try:
            state = int(fields[3], 16)
            local, remote = _parse_address(fields[1]), _parse_address(fields[2])
        except ValueError:
            continue
        if state in (ESTABLISHED, TIME_WAIT):
            yield Socket(local, remote, state == ESTABLISHED)


def _parse_address(text: str) -> tuple[str, int]:
    address, _, port = text.partition(":")
    raw = b"".join(
        bytes.fromhex(address[start : start + _WORD])[::-1]
        for start in range(0, len(address), _WORD)
    )
    ip = ipaddress.ip_address(raw)
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip), int(port, 16)
