"""The choice of the builder that this machine has."""

from __future__ import annotations

import os

from vrooli.errors import PrerequisiteError, UsageError
from vrooli.images.buildah import Buildah, Podman
from vrooli.images.builder import Builder
from vrooli.images.docker import Docker


async def detect() -> Builder:
    """The builder that this machine has: buildah, podman or docker, in this order.

    ``VROOLI_IMAGE_BUILDER`` names one.

    Raises:
        UsageError: The named one isn't known.
        PrerequisiteError: There is none that works.
    """
    known: dict[str, Builder] = {one.name: one for one in (Buildah(), Podman(), Docker())}
    wanted = os.environ.get("VROOLI_IMAGE_BUILDER")
    if wanted and wanted not in known:
        raise UsageError(
            f"VROOLI_IMAGE_BUILDER is {wanted!r}.", f"Choose one of: {', '.join(known)}."
        )
    for name in [wanted] if wanted else known:
        if await known[name].usable():
            return known[name]
    raise PrerequisiteError(
        f"{wanted or 'None of buildah, podman and docker'} can't build images here.",
        "Run `vrooli setup`, which installs buildah (on Debian: apt-get install buildah).",
    )
