"""Two runs at once: neither sweeps away what the other works on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from vrooli.errors import CommandError
from vrooli.images import records
from vrooli.images.builder import Builder
from vrooli.locks import INTERVAL_S, taken


@contextlib.asynccontextmanager
async def building(builder: Builder) -> AsyncIterator[None]:
    """Be one of those that build; the last one that fails or is stopped sweeps up after all."""
    path = records.folder() / "building.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        # Never a call that blocks: whoever sweeps may be another task of this process.
        while not taken(file, shared=True):  # noqa: ASYNC110 - no event tells of its release
            await asyncio.sleep(INTERVAL_S)
        try:
            yield
        except BaseException:
            if taken(file):
                with contextlib.suppress(CommandError):  # the build's own error counts more
                    await builder.sweep()
            raise
