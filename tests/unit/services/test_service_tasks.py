"""Ending tasks, those that lose a cancellation too."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from vrooli_shared import tasks


async def _lose_cancellations(number: int) -> None:
    for _ in range(number):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "REPEAT_S", 0.01)
    running = [asyncio.create_task(_lose_cancellations(number)) for number in (0, 1, 3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await tasks.cancel_all(running)
    assert all(task.cancelled() for task in running)


async def test_no_tasks_and_tasks_that_have_failed_are_no_error() -> None:
    async def fail() -> None:
        raise ValueError

    failed = asyncio.create_task(fail())
    await asyncio.wait({failed})
    async with asyncio.timeout(30):
        await tasks.cancel_all([])
        await tasks.cancel_all([failed])
    assert isinstance(failed.exception(), ValueError)
