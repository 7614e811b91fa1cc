"""Two runs of one process: the one that sweeps up stops no other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vrooli.images.builds.locks import shared_build


class Sweeper:
    """A builder whose sweeping lasts until it is told to end."""

    def __init__(self) -> None:
        self.sweeping, self.end = asyncio.Event(), asyncio.Event()

    async def remove_leftovers(self) -> None:
        self.sweeping.set()
        await self.end.wait()


async def test_a_run_waits_for_anothers_sweep_without_stopping_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    builder: Any = Sweeper()
    entered = asyncio.Event()

    async def fail() -> None:
        async with shared_build(builder):
            raise RuntimeError("the build failed")

    async def build() -> None:
        await builder.sweeping.wait()
        async with shared_build(builder):
            entered.set()

    async with asyncio.timeout(60):
        failing, other = asyncio.create_task(fail()), asyncio.create_task(build())
        await builder.sweeping.wait()
        await asyncio.sleep(0.05)
        assert not entered.is_set()
        builder.end.set()
        with pytest.raises(RuntimeError):
            await failing
        await other
