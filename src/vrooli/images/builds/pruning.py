"""Prunes the builder's store: images that a checkout may use again are kept."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping

from vrooli.images import records
from vrooli.images.builders.interface import Builder
from vrooli.images.catalog import IMAGES, PREFIX

DAY_S = 24 * 3600.0
# The number of builds of each image to keep, and for how long since their last use, seconds:
# enough for a few checkouts and for a branch that is checked out again.
MAX_PER_IMAGE, RETENTION_S = 4, 14 * DAY_S
# How long untagged images are kept, seconds. They are stages of builds, which the next build of a
# changed source continues from instead of installing packages again, and layers of failed builds.
LAYERS_S = DAY_S
# Images that were used this recently are kept, seconds: a run may still be packing them.
IN_USE_S = 3600.0


async def prune_store(builder: Builder, before: float) -> None:
    """Remove images that are no longer needed; call it only while no build runs.

    Args:
        builder: The builder that stores them.
        before: Only older untagged images are removed, seconds since the epoch.
    """
    used = {name: records.last_use(name) for name in await builder.images() if _is_ours(name)}
    for name in find_expired(used, time.time()):
        await builder.remove_name(name)
        records.remove(name)
    await builder.prune(before)
    records.save_prune()
    records.retain_contents(set((await builder.images()).values()))


def find_expired(used: Mapping[str, float], now: float) -> list[str]:
    """The references to remove, from the time of each one's last use; seconds since the epoch."""
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
