"""The posts that a load has written, as psql prints them."""

from __future__ import annotations


def stored(rows: str) -> list[tuple[str, str]]:
    """The texts and ids in the rows of a load's query, unaligned and without a header."""
    pairs = (row.partition("|") for row in rows.splitlines() if row)
    return [(text, post_id) for text, _, post_id in pairs]
