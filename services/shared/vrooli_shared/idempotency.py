"""Keys of requests that may be repeated: the first answer is stored with what the request made.

A client that doesn't know whether its request was carried out (its answer was lost, a primary was
replaced) sends it again under the same key, and gets the first answer again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, errors

# How long a key is remembered, seconds; after that it is a new one.
KEEP_S = 24 * 3600.0
# How long a request waits for another one with its key that is under way, milliseconds.
WAIT_MS = 3_000
# The first half of the lock's number; the second is the key's hash.
LOCK = 5_329


class KeyReusedError(Exception):
    """The key belongs to a request that said something else."""


class KeyInUseError(Exception):
    """A request with the same key is being carried out."""


@dataclass(frozen=True)
class Key:
    """A client's key and a digest of what it sent with it."""

    value: str
    fingerprint: bytes


@dataclass(frozen=True)
class Stored:
    """What a key was used for: the post that was made, and the first answer."""

    post_id: UUID
    answer: dict[str, Any]


def fingerprint(*parts: bytes) -> bytes:
    """A digest of these parts in this order; no two lists of parts have the same."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def claim(connection: AsyncConnection, key: Key) -> Stored | None:
    """Take the key for this transaction; gives what it was used for before.

    A key that is too old, or whose post is gone, is forgotten.

    Raises:
        KeyInUseError: Another transaction has it, and took too long.
        KeyReusedError: It was used for another request.
    """
    await connection.execute("SELECT set_config('lock_timeout', %s, true)", (str(WAIT_MS),))
    try:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, key.value)
        )
    except errors.LockNotAvailable as error:
        raise KeyInUseError(key.value) from error
    await connection.execute(
        "DELETE FROM vrooli.idempotency_keys k WHERE key = %s"
        " AND (created_at < now() - make_interval(secs => %s)"
        " OR NOT EXISTS (SELECT FROM vrooli.posts p WHERE p.id = k.post_id))",
        (key.value, KEEP_S),
    )
    cursor = await connection.execute(
        "SELECT post_id, answer, fingerprint FROM vrooli.idempotency_keys WHERE key = %s",
        (key.value,),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if bytes(row[2]) != key.fingerprint:
        raise KeyReusedError(key.value)
    return Stored(row[0], row[1])


async def store(
    connection: AsyncConnection, key: Key, post_id: UUID, answer: dict[str, Any]
) -> None:
    """Note what the claimed key was used for, in the transaction that did it."""
    await connection.execute(
        "INSERT INTO vrooli.idempotency_keys (key, fingerprint, post_id, answer)"
        " VALUES (%s, %s, %s, %s)",
        (key.value, key.fingerprint, post_id, json.dumps(answer)),
    )


async def drop_expired(connection: AsyncConnection) -> int:
    """Forget the keys that are too old; returns how many."""
    cursor = await connection.execute(
        "DELETE FROM vrooli.idempotency_keys WHERE created_at < now() - make_interval(secs => %s)",
        (KEEP_S,),
    )
    return cursor.rowcount
