"""Two runs at once: neither sweeps away what the other works on."""

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
    """Be one of those that build; the last one that fails or is stopped sweeps up after all.

    Args:
        builder: What builds.
        tidy: Called by the last one that ends, however it does: nobody builds meanwhile.
    """
    path = records.folder() / "building.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        # Never a call that blocks: whoever sweeps may be another task of this process.
        while not try_lock(file, shared=True):  # noqa: ASYNC110 - no event tells of its release
            await asyncio.sleep(INTERVAL_S)
        try:
            yield
        except BaseException:
            if try_lock(file):
                with contextlib.suppress(CommandError):  # the build's own error counts more
                    await builder.remove_leftovers()
                    if tidy is not None:
                        await tidy()
            raise
        if tidy is not None and try_lock(file):
            await tidy()
