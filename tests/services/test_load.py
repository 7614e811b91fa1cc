"""The load of the fault tests: what it calls lost is lost, and what it repeats is stored once."""

from __future__ import annotations

import asyncio
import signal

from support.programs.backend import psql
from support.programs.services import Stack
from support.release.posts import stored
from vrooli.drills.http_load import Load, Losses, Write, load

READS = ("/api/posts?limit=5",)


async def test_writes_across_crashes_are_stored_once_and_acknowledged(stack: Stack) -> None:
    """The primary and the server crash in turn; failed tries are noted, and repeated."""
    postgres, server = stack.backend.postgres, stack.servers[0]
    async with load(stack.url(), 40.0, READS) as sent:
        for _ in range(2):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(postgres.stop, signal.SIGQUIT)
            await asyncio.to_thread(postgres.start)
            await asyncio.sleep(0.7)
            await asyncio.to_thread(server.stop, signal.SIGKILL)
            await asyncio.to_thread(server.start)
    assert sent.failed
    assert len(sent.writes) > 1
    assert all(write.post_id for write in sent.writes)
    rows = psql(stack.backend.folder, postgres.port, sent.query)
    assert sent.judge(stored(rows)) == Losses()


def test_losses_report_each_kind_of_row() -> None:
    """A load that could never find a loss would be worth nothing."""
    sent = Load(name="l", writes=[Write("l 1", "a"), Write("l 2", "b"), Write("l 3")])
    a, b = ("l 1", "a"), ("l 2", "b")
    assert sent.judge([a, b]) == Losses()
    assert sent.judge([("l 1", "x")]) == Losses(lost=("l 1", "l 2"))
    assert sent.judge([a, b, ("l 2", "c")]) == Losses(doubled=("l 2",))
    assert sent.judge([a, b, ("l 3", "c")]) == Losses(unanswered=("l 3",))
