"""Budgets of the rows and indexes of all posts, so that these never fill the database's volume.

The totals are running ones: triggers add each inserted row and subtract each deleted one, whoever
writes it, in the same transaction (migration 0003). A migration and a cron job measure them again.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import AsyncConnection

from vrooli_shared.database import limit_idle

log = logging.getLogger(__name__)

# The parts of the volume that pictures and texts may take. The rest is for WAL and for deleted rows
# that are not yet vacuumed.
PICTURES_PART, TEXTS_PART = 0.5, 0.1
# The budgets if neither they nor the size of the volume are set, bytes.
DEFAULT_PICTURES_BYTES, DEFAULT_TEXTS_BYTES = 10 * 1024**3, 2 * 1024**3
# What each row takes besides its content, bytes. A short post with a small picture, two rows, takes
# 570 bytes after a verdict with PostgreSQL 15.
ROW_BYTES = 1024
# How long a process refuses pictures at once after none could be deleted for one, seconds.
FULL_S = 5.0
# Source: Kubernetes, resource.Quantity.
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[kKMGTPE]i?|)")
_UNITS = "kMGTPE"

_TOTALS = "SELECT kind, bytes FROM vrooli.storage"
# In the order in which the triggers lock them for a new post: the texts first.
_LOCK = "SELECT FROM vrooli.storage ORDER BY kind DESC FOR UPDATE"
_LOCK_PICTURES = "SELECT FROM vrooli.storage WHERE kind = 'pictures' FOR UPDATE"
# Failed ones before refused ones, the oldest first, up to the number of bytes.
_DROP_HIDDEN = """WITH hidden AS (
        SELECT p.state, p.updated_at, p.id, vrooli.charge(octet_length(i.bytes)) AS size
        FROM vrooli.pictures i JOIN vrooli.posts p ON p.id = i.post_id
        WHERE p.state IN ('failed', 'refused')
        ORDER BY p.state, p.updated_at, p.id LIMIT %(rows)s),
    summed AS (
        SELECT id, size, sum(size) OVER (ORDER BY state, updated_at, id) AS total FROM hidden),
    dropped AS (
        DELETE FROM vrooli.pictures WHERE post_id IN (
            SELECT id FROM summed WHERE total - size < %(bytes)s)
        RETURNING vrooli.charge(octet_length(bytes)) AS size)
    SELECT count(*), coalesce(sum(size), 0)::bigint FROM dropped"""
# One statement sees the rows and the totals of one moment, so that no writer must wait.
_DRIFT = """SELECT s.kind, m.bytes - s.bytes FROM vrooli.measure_storage() m
    JOIN vrooli.storage s USING (kind) WHERE m.bytes <> s.bytes ORDER BY s.kind DESC"""


class StorageFullError(Exception):
    """A post does not fit into the budgets; the argument is ``pictures`` or ``texts``."""


@dataclass(frozen=True)
class Budgets:
    """The bytes on the volume that all pictures, and all texts, may take."""

    pictures: int
    texts: int


def charge(content: int) -> int:
    """The bytes on the volume of a row with this many bytes; as ``vrooli.charge``."""
    return ROW_BYTES + content + content // 16


def budget(max_bytes: int | None, volume_size: str, part: float, default: int) -> int:
    """The bytes that one kind may take.

    Args:
        max_bytes: The setting; None derives it from the volume.
        volume_size: The size of the database's volume as in Kubernetes (``50Gi``), or empty.
        part: The part of the volume.
        default: The budget without a size of the volume, bytes.

    Raises:
        ValueError: The size of the volume is not a quantity.
    """
    if max_bytes is not None:
        return max_bytes
    if not volume_size:
        return default
    match = _QUANTITY.fullmatch(volume_size)
    if match is None:
        raise ValueError(f"{volume_size!r} is not a size, such as 50Gi")
    unit = match["unit"]
    base = 1024 if unit.endswith("i") else 1000
    exponent = _UNITS.index(unit[0].replace("K", "k")) + 1 if unit else 0
    return int(float(match["number"]) * base**exponent * part)


class Storage:
    """The budgets of one process, and whether there was no room a moment ago."""

    def __init__(self, budgets: Budgets, clock: Callable[[], float] = time.monotonic) -> None:
        self._budgets, self._clock = budgets, clock
        # Until when pictures of at least this size are refused without another look.
        self._full_until, self._full_size = 0.0, 0

    async def make_room(self, connection: AsyncConnection, text: int, picture: int | None) -> None:
        """Check the budgets, and delete hidden pictures if the new one needs their room.

        To be called in the transaction that stores the post, before it. Transactions that run at
        the same time may exceed the budgets by their posts. Only one at a time deletes pictures;
        other posts wait for it, at most the connection's ``lock_timeout``.

        Args:
            connection: The connection of the transaction.
            text: The bytes of the post's text.
            picture: The bytes of its picture; None without one.

        Raises:
            StorageFullError: The texts, or the pictures that are shown or undecided, leave too
                little room.
        """
        totals = await _totals(connection)
        if totals["texts"] + charge(text) > self._budgets.texts:
            log.error("the texts have reached their limit of %d bytes", self._budgets.texts)
            raise StorageFullError("texts")
        if picture is None or totals["pictures"] + charge(picture) <= self._budgets.pictures:
            return
        size = charge(picture)
        if size >= self._full_size and self._clock() < self._full_until:
            raise StorageFullError("pictures")
        await self._replace_hidden(connection, size)

    async def _replace_hidden(self, connection: AsyncConnection, size: int) -> None:
        await connection.execute(_LOCK)
        # Another transaction may have made room meanwhile.
        missing = (await _totals(connection))["pictures"] + size - self._budgets.pictures
        if missing <= 0:
            return
        number, freed = 0, 0
        # Hidden ones never suffice for a picture above the budget.
        if size <= self._budgets.pictures:
            arguments = {"bytes": missing, "rows": missing // ROW_BYTES + 1}
            cursor = await connection.execute(_DROP_HIDDEN, arguments)
            number, freed = await cursor.fetchone() or (0, 0)
        if freed < missing:
            self._full_until, self._full_size = self._clock() + FULL_S, size
            log.error("no room for a picture: the limit is %d bytes", self._budgets.pictures)
            raise StorageFullError("pictures")
        log.warning("%d hidden pictures (%d bytes) were deleted for a new one", number, freed)


async def lock_pictures(connection: AsyncConnection) -> None:
    """Lock the pictures' total before many are deleted: in the order in which uploads lock."""
    await limit_idle(connection)
    await connection.execute(_LOCK_PICTURES)


async def correct(connection: AsyncConnection) -> int:
    """Measure the totals again, such as after TRUNCATE; returns the bytes that were wrong."""
    await limit_idle(connection)
    drifts = await (await connection.execute(_DRIFT)).fetchall()
    for kind, drift in drifts:
        log.warning("the total of %s was wrong by %d bytes", kind, drift)
        await connection.execute(
            "UPDATE vrooli.storage SET bytes = bytes + %s WHERE kind = %s", (drift, kind)
        )
    return sum(abs(drift) for _, drift in drifts)


async def _totals(connection: AsyncConnection) -> dict[str, int]:
    rows = await (await connection.execute(_TOTALS)).fetchall()
    return {"pictures": 0, "texts": 0, **dict(rows)}
