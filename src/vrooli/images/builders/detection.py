"""Detects the builder of this machine."""

from __future__ import annotations

import os

from vrooli.errors import PrerequisiteError, UsageError
from vrooli.images.builders.buildah import Buildah, Podman
from vrooli.images.builders.docker import Docker
from vrooli.images.builders.interface import Builder


async def detect() -> Builder:
    """The first available builder: buildah, podman or docker, in this order.

    ``VROOLI_IMAGE_BUILDER`` overrides it.

    Raises:
        UsageError: The variable has an unknown value.
        PrerequisiteError: No builder works.
    """
    builders: dict[str, Builder] = {
        builder.name: builder for builder in (Buildah(), Podman(), Docker())
    }
    requested = os.environ.get("VROOLI_IMAGE_BUILDER")
    if requested and requested not in builders:
        raise UsageError(
            f"VROOLI_IMAGE_BUILDER is {requested!r}.", f"Choose one of: {', '.join(builders)}."
        )
    for name in [requested] if requested else builders:
        if await builders[name].is_usable():
            return builders[name]
    raise PrerequisiteError(
        f"{requested or 'None of buildah, podman and docker'} can't build images here.",
        "Run `vrooli setup`, which installs buildah (on Debian: apt-get install buildah).",
    )
