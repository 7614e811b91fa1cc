"""Posts in the database.

Every operation is idempotent, since ``Database.run`` may repeat it after a failover.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from vrooli_shared import idempotency, storage
from vrooli_shared.database import Database, limit_waits
from vrooli_shared.idempotency import Key
from vrooli_shared.storage import Budgets, Storage

_COLUMNS = """p.id, p.text, p.state, p.confidence, p.reason, p.attempts, p.created_at, p.updated_at,
    (SELECT media_type FROM vrooli.pictures WHERE post_id = p.id) AS picture_type"""
_INSERT_TEXT = "INSERT INTO vrooli.posts (id, text, state) VALUES (%s, %s, %s)"
# One statement: the triggers lock the totals at its end, after the bytes are written.
_INSERT_BOTH = """WITH post AS (
        INSERT INTO vrooli.posts (id, text, state) VALUES (%s, %s, %s) RETURNING id)
    INSERT INTO vrooli.pictures (post_id, media_type, bytes) SELECT id, %s, %s FROM post"""
# Pictures that are deleted in one transaction: uploads that need room wait for it.
_DROP_AT_ONCE = 100


class State(StrEnum):
    """State of a post's moderation."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Picture:
    """A picture as uploaded."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class Post:
    """A post without its picture's bytes; ``confidence`` is the verdict's, in percent."""

    id: UUID
    text: str
    state: str
    confidence: float | None
    reason: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    picture_type: str | None

    def view(self) -> dict[str, Any]:
        """The post as in the API and in live events."""
        shown = self.state == State.APPROVED and self.picture_type is not None
        return {
            "id": str(self.id),
            "text": self.text,
            "state": self.state,
            "confidence": self.confidence,
            "reason": self.reason,
            "has_picture": self.picture_type is not None,
            "picture_url": f"/api/posts/{self.id}/picture" if shown else None,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


@dataclass(frozen=True)
class Created:
    """A post that was stored.

    Attributes:
        post: The post in its current state.
        answer: The response to the first request.
        is_replay: Whether an earlier request with the same key stored it.
    """

    post: Post
    answer: dict[str, Any]
    is_replay: bool = False


class Posts:
    """The posts of one database."""

    def __init__(self, database: Database, budgets: Budgets | None = None) -> None:
        """Access posts.

        Args:
            database: The pool of connections.
            budgets: The limits of all posts together; None for a process that stores none.
        """
        self._database, self._storage = database, Storage(budgets) if budgets else None

    async def create(
        self,
        post_id: UUID,
        text: str,
        picture: Picture | None,
        key: Key | None = None,
        *,
        dry_run: bool = False,
    ) -> Created:
        """Store a post; without a picture it is approved immediately.

        Args:
            post_id: The id of a new post.
            text: Its text.
            picture: Its picture.
            key: The request's idempotency key; if it was used before, that post is returned.
            dry_run: Whether the transaction is rolled back.

        Raises:
            idempotency.KeyReusedError: The key was used for a different request.
            idempotency.KeyInUseError: Another request with the key is in progress.
            storage.StorageFullError: There is no room for the picture.
        """

        async def work(connection: AsyncConnection) -> Created:
            created = await self._create(connection, post_id, text, picture, key)
            if dry_run:
                await connection.rollback()
            return created

        return await self._database.run(work)

    async def _create(
        self,
        connection: AsyncConnection,
        post_id: UUID,
        text: str,
        picture: Picture | None,
        key: Key | None,
    ) -> Created:
        await limit_waits(connection)
        stored = await idempotency.claim(connection, key) if key else None
        if stored is not None:
            post = await _existing(connection, stored.post_id)
            # The same id: an earlier attempt of this request, committed before the connection was
            # lost.
            return Created(post, stored.answer, is_replay=stored.post_id != post_id)
        # A repeated operation may have stored it.
        if not await _select(connection, "WHERE p.id = %(id)s", {"id": post_id}):
            await self._insert(connection, post_id, text, picture)
        post = await _existing(connection, post_id)
        if key:
            await idempotency.store(connection, key, post_id, post.view())
        return Created(post, post.view())

    async def _insert(
        self, connection: AsyncConnection, post_id: UUID, text: str, picture: Picture | None
    ) -> None:
        if self._storage:
            size = len(picture.data) if picture else None
            await self._storage.make_room(connection, len(text.encode()), size)
        if picture is None:
            await connection.execute(_INSERT_TEXT, (post_id, text, State.APPROVED))
            return
        arguments = (post_id, text, State.PENDING, picture.media_type, picture.data)
        await connection.execute(_INSERT_BOTH, arguments)

    async def get(self, post_id: UUID) -> Post | None:
        """The post, or None."""
        posts = await self._posts("WHERE p.id = %(id)s", {"id": post_id})
        return posts[0] if posts else None

    async def delete(self, post_id: UUID, key: str) -> bool:
        """Delete a post and its picture; a post that does not exist is none to delete.

        Args:
            post_id: The post.
            key: The idempotency key with which it was made: only its sender knows it.

        Returns:
            Whether it existed.

        Raises:
            idempotency.NotSenderError: The post was made with another key, or without one, or the
                key expired.
            idempotency.KeyInUseError: Another request with the key is in progress.
        """

        async def work(connection: AsyncConnection) -> bool:
            await limit_waits(connection)
            if await idempotency.made(connection, key, post_id):
                await connection.execute("DELETE FROM vrooli.posts WHERE id = %s", (post_id,))
                return True
            if await _select(connection, "WHERE p.id = %(id)s", {"id": post_id}):
                raise idempotency.NotSenderError(post_id)
            return False

        return await self._database.run(work)

    async def newest(self, limit: int) -> list[Post]:
        """The newest posts, newest first."""
        return await self._posts(
            "ORDER BY p.created_at DESC, p.id LIMIT %(limit)s", {"limit": limit}
        )

    async def stuck(self, older_than_s: float, limit: int = 100) -> list[Post]:
        """Pending posts that were not updated for this many seconds."""
        return await self._posts(
            "WHERE p.state = 'pending' AND p.updated_at < now() - make_interval(secs => %(age)s)"
            " ORDER BY p.updated_at LIMIT %(limit)s",
            {"age": older_than_s, "limit": limit},
        )

    async def picture(self, post_id: UUID) -> Picture | None:
        """The post's picture, or None."""

        async def work(connection: AsyncConnection) -> Picture | None:
            cursor = await connection.execute(
                "SELECT media_type, bytes FROM vrooli.pictures WHERE post_id = %s", (post_id,)
            )
            row = await cursor.fetchone()
            return Picture(row[0], bytes(row[1])) if row else None

        return await self._database.run(work)

    async def attempt(self, post_id: UUID, attempts: int) -> None:
        """Store the number of attempts of the post's moderation."""
        await self._execute(
            "UPDATE vrooli.posts SET attempts = %s, updated_at = now()"
            " WHERE id = %s AND state = 'pending'",
            (attempts, post_id),
        )

    async def decide(
        self, post_id: UUID, state: State, *, confidence: float | None, reason: str | None
    ) -> bool:
        """Store the verdict of a pending post.

        Returns:
            Whether the post was pending.
        """
        return await self._execute(
            "UPDATE vrooli.posts SET state = %s, confidence = %s, reason = %s, updated_at = now()"
            " WHERE id = %s AND state = 'pending'",
            (state, confidence, reason, post_id),
        )

    async def drop_hidden_pictures(self, older_than_s: float) -> int:
        """Delete pictures that were refused, or failed, this many seconds ago; returns how many."""

        async def work(connection: AsyncConnection) -> int:
            await storage.lock_pictures(connection)
            cursor = await connection.execute(
                "DELETE FROM vrooli.pictures WHERE post_id IN (SELECT p.id FROM vrooli.posts p"
                " JOIN vrooli.pictures i ON i.post_id = p.id WHERE p.state IN ('refused', 'failed')"
                " AND p.updated_at < now() - make_interval(secs => %s) LIMIT %s)",
                (older_than_s, _DROP_AT_ONCE),
            )
            return cursor.rowcount

        number = _DROP_AT_ONCE
        total = 0
        while number == _DROP_AT_ONCE:
            number = await self._database.run(work)
            total += number
        return total

    async def correct_totals(self) -> int:
        """Measure the stored bytes again; returns the bytes by which the totals were wrong."""
        return await self._database.run(storage.correct)

    async def drop_expired_keys(self) -> int:
        """Delete expired idempotency keys; returns their number."""
        return await self._database.run(idempotency.drop_expired)

    async def _posts(self, tail: str, arguments: dict[str, Any]) -> list[Post]:
        async def work(connection: AsyncConnection) -> list[Post]:
            return await _select(connection, tail, arguments)

        return await self._database.run(work)

    async def _execute(self, query: str, arguments: tuple[Any, ...]) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            cursor = await connection.execute(query.encode(), arguments)
            return cursor.rowcount > 0

        return await self._database.run(work)


async def _select(connection: AsyncConnection, tail: str, arguments: dict[str, Any]) -> list[Post]:
    async with connection.cursor(row_factory=class_row(Post)) as cursor:
        query = f"SELECT {_COLUMNS} FROM vrooli.posts p {tail}"  # noqa: S608 - our constants
        await cursor.execute(query.encode(), arguments)
        return await cursor.fetchall()


async def _existing(connection: AsyncConnection, post_id: UUID) -> Post:
    (post,) = await _select(connection, "WHERE p.id = %(id)s", {"id": post_id})
    return post
