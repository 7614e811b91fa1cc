"""Idempotency keys: the first response is stored in the transaction of its request.

A client that doesn't know whether a request succeeded, such as after a failover, repeats it with
the same key and gets the first response again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, errors

from vrooli_shared.database import limit_idle

# Retention of a key, seconds.
KEY_TTL_S = 24 * 3600.0
# The first half of the lock's number; the second is the key's hash.
LOCK = 5_329


class KeyReusedError(Exception):
    """The key was used for a request with different content."""


class KeyInUseError(Exception):
    """A request with the same key is in progress."""


class NotSenderError(Exception):
    """The key is not that of the request that made the post."""


@dataclass(frozen=True)
class Key:
    """A client's key and the digest of its request."""

    value: str
    fingerprint: bytes


@dataclass(frozen=True)
class Stored:
    """The post that was created with a key, and the first response."""

    post_id: UUID
    answer: dict[str, Any]


def fingerprint(*parts: bytes) -> bytes:
    """A digest of the ordered parts, which includes the length of each part."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def claim(connection: AsyncConnection, key: Key) -> Stored | None:
    """Lock the key for this transaction and return its stored response, if any.

    An expired key, or one whose post was deleted, is removed first.

    Raises:
        KeyInUseError: Another transaction holds the lock for longer than the ``lock_timeout``.
        KeyReusedError: The key was used for a different request.
    """
    await _lock(connection, key.value)
    await connection.execute(
        "DELETE FROM vrooli.idempotency_keys k WHERE key = %s"
        " AND (created_at < now() - make_interval(secs => %s)"
        " OR NOT EXISTS (SELECT FROM vrooli.posts p WHERE p.id = k.post_id))",
        (key.value, KEY_TTL_S),
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
    """Store the response for a claimed key, in the transaction of its request."""
    await connection.execute(
        "INSERT INTO vrooli.idempotency_keys (key, fingerprint, post_id, answer)"
        " VALUES (%s, %s, %s, %s)",
        (key.value, key.fingerprint, post_id, json.dumps(answer)),
    )


async def made(connection: AsyncConnection, key: str, post_id: UUID) -> bool:
    """Whether the post was made with the key, which is locked for this transaction.

    An expired key has made no post, whether it was removed or not.

    Raises:
        KeyInUseError: Another transaction holds the lock for longer than the ``lock_timeout``.
    """
    await _lock(connection, key)
    cursor = await connection.execute(
        "SELECT FROM vrooli.idempotency_keys WHERE key = %s AND post_id = %s"
        " AND created_at >= now() - make_interval(secs => %s)",
        (key, post_id, KEY_TTL_S),
    )
    return await cursor.fetchone() is not None


async def drop_expired(connection: AsyncConnection) -> int:
    """Delete expired keys; returns their number."""
    await limit_idle(connection)
    cursor = await connection.execute(
        "DELETE FROM vrooli.idempotency_keys WHERE created_at < now() - make_interval(secs => %s)",
        (KEY_TTL_S,),
    )
    return cursor.rowcount


async def _lock(connection: AsyncConnection, key: str) -> None:
    try:
        await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, key))
    except errors.LockNotAvailable as error:
        raise KeyInUseError(key) from error
