"""Locks of concurrent builds: the store is pruned only while no run builds images."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from vrooli.errors import CommandError
from vrooli.images import records
from vrooli.images.builders.interface import Builder
from vrooli.locks import INTERVAL_S, try_lock


@contextlib.asynccontextmanager
async def shared_build(
    builder: Builder, tidy: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Hold the shared lock of builds; the last run that fails or is interrupted prunes the store.

    Args:
        builder: The builder.
        tidy: Called by the last run that ends, even if it failed; no other run builds meanwhile.
    """
    path = records.folder() / "building.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        # Do not block: another task of this process may hold the lock to prune the store.
        while not try_lock(file, shared=True):  # noqa: ASYNC110 - there is no event for its release
            await asyncio.sleep(INTERVAL_S)
        try:
            yield
        except BaseException:
            if try_lock(file):
                with contextlib.suppress(CommandError):  # the error of the build takes precedence
                    await builder.remove_leftovers()
                    if tidy is not None:
                        await tidy()
            raise
        if tidy is not None and try_lock(file):
            await tidy()
