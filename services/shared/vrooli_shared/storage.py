"""The budget of all stored pictures, so that uploads never fill the volume of the database."""

from __future__ import annotations

import logging
import re

from psycopg import AsyncConnection

log = logging.getLogger(__name__)

# The number of the advisory lock that lets only one transaction delete pictures to make room.
LOCK = 5_329_4002
# The part of the volume that pictures may take; the rest is for WAL, texts, indexes and dead rows.
VOLUME_PART = 0.5
# The budget if neither it nor the size of the volume is set, bytes.
DEFAULT_BYTES = 10 * 1024**3
# Source: Kubernetes, resource.Quantity.
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[kKMGTPE]i?|)")
_UNITS = "kMGTPE"

_TOTAL = "SELECT coalesce(sum(octet_length(bytes)), 0) FROM vrooli.pictures"
# Failed ones before refused ones, the oldest first, up to the number of bytes.
_DROP_HIDDEN = """WITH hidden AS (
        SELECT i.post_id, octet_length(i.bytes) AS size,
            sum(octet_length(i.bytes)) OVER (ORDER BY p.state, p.updated_at, p.id) AS total
        FROM vrooli.pictures i JOIN vrooli.posts p ON p.id = i.post_id
        WHERE p.state IN ('failed', 'refused')),
    dropped AS (
        DELETE FROM vrooli.pictures WHERE post_id IN (
            SELECT post_id FROM hidden WHERE total - size < %(bytes)s)
        RETURNING octet_length(bytes) AS size)
    SELECT count(*), coalesce(sum(size), 0) FROM dropped"""


class StorageFullError(Exception):
    """A picture does not fit into the budget."""


def budget(max_bytes: int | None, volume_size: str) -> int:
    """The bytes that all pictures together may take.

    Args:
        max_bytes: The setting; None derives it from the volume.
        volume_size: The size of the database's volume as in Kubernetes (``50Gi``), or empty.

    Raises:
        ValueError: The size of the volume is not a quantity.
    """
    if max_bytes is not None:
        return max_bytes
    if not volume_size:
        return DEFAULT_BYTES
    match = _QUANTITY.fullmatch(volume_size)
    if match is None:
        raise ValueError(f"{volume_size!r} is not a size, such as 50Gi")
    unit = match["unit"]
    base = 1024 if unit.endswith("i") else 1000
    exponent = _UNITS.index(unit[0].replace("K", "k")) + 1 if unit else 0
    return int(float(match["number"]) * base**exponent * VOLUME_PART)


async def make_room(connection: AsyncConnection, size: int, max_bytes: int) -> None:
    """Delete hidden pictures until one more fits; in the transaction that stores it.

    Transactions that run at the same time may exceed the budget by their pictures.

    Args:
        connection: The connection of the transaction.
        size: The bytes of the new picture.
        max_bytes: The budget of all pictures.

    Raises:
        StorageFullError: The pictures that are shown or undecided leave too little room.
    """
    if await _total(connection) + size <= max_bytes:
        return
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    # Another transaction may have made room meanwhile.
    missing = await _total(connection) + size - max_bytes
    if missing <= 0:
        return
    cursor = await connection.execute(_DROP_HIDDEN, {"bytes": missing})
    number, freed = await cursor.fetchone() or (0, 0)
    if freed < missing:
        log.error("a picture of %d bytes does not fit: the limit is %d bytes", size, max_bytes)
        raise StorageFullError
    log.warning("%d hidden pictures (%d bytes) were deleted for a new one", number, freed)


async def _total(connection: AsyncConnection) -> int:
    row = await (await connection.execute(_TOTAL)).fetchone()
    return int(row[0]) if row else 0
