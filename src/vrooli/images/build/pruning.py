"""What stays in the builder's store: what a checkout may want again, and no more."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping

from vrooli.images import records
from vrooli.images.builders.interface import Builder
from vrooli.images.catalog import IMAGES, PREFIX

DAY_S = 24 * 3600.0
# Of each image, this many contents stay, for this long since their last use: those of a few
# checkouts, and of a branch that somebody comes back to.
MAX_PER_IMAGE, RETENTION_S = 4, 14 * DAY_S
# Whatever a run used this recently stays: it may still be packing it.
IN_USE_S = 3600.0


async def prune_store(builder: Builder, before: float) -> None:
    """Remove images that nobody wants any more; only while no build runs.

    Args:
        builder: What keeps them.
        before: Of the nameless ones, only those older than this, seconds since the epoch.
    """
    used = {name: records.last_use(name) for name in await builder.images() if _is_ours(name)}
    for name in find_expired(used, time.time()):
        await builder.remove_name(name)
        records.remove(name)
    await builder.prune(before)


def find_expired(used: Mapping[str, float], now: float) -> list[str]:
    """The names of images to remove, given when each was last used; seconds since the epoch."""
    by_image = defaultdict(list)
    for name in sorted(used, key=lambda name: used[name], reverse=True):
        by_image[name.rpartition(":")[0]].append(name)
    return [
        name
        for names in by_image.values()
        for rank, name in enumerate(names)
        if now - used[name] > (IN_USE_S if rank >= MAX_PER_IMAGE else RETENTION_S)
    ]


def _is_ours(name: str) -> bool:
    repository = name.rpartition(":")[0]
    return repository.removeprefix(f"{PREFIX}/") in IMAGES
