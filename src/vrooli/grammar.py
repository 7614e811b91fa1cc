"""Words that depend on a number."""

from __future__ import annotations

BYTES_PER_UNIT = 1000


def counted(number: int, noun: str) -> str:
    """A number with its noun, whose plural ends with s: "1 node", "2 nodes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_bytes(count: float) -> str:
    """A number of bytes in the unit that leaves one to three digits: 3.9 MB.

    Units are powers of 1,000, as pgBackRest and storage classes of clouds count.
    """
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= BYTES_PER_UNIT and unit != "TB":
        count, unit = count / BYTES_PER_UNIT, next(units)
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
