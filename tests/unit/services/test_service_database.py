"""How the pool of connections returns to a database that was away."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from vrooli_shared import database
from vrooli_shared.database import Database

pytestmark = pytest.mark.anyio


async def test_a_lost_database_is_tried_again_at_the_same_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool alone would double its delay, and give up at last; nobody asks for a connection."""
    attempts = asyncio.Semaphore(0)

    async def connect(*_: object, **__: object) -> None:
        attempts.release()
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(database, "RECONNECT_S", 0.01)
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    subject = Database("host=127.0.0.1")
    await subject.open()
    try:
        async with asyncio.timeout(10):
            for _ in range(100):
                await attempts.acquire()
    finally:
        await subject.close()
