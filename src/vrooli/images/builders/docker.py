"""Building with docker's BuildKit."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from vrooli import process
from vrooli.errors import CommandError
from vrooli.images import oci_layout
from vrooli.images.builders.interface import BUILD_S, PUSH_S, QUERY_S, SAVE_S, Request

# The last line of a push.
PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64})")


class Docker:
    """docker: its daemon keeps the images, among those of others."""

    name = "docker"

    async def is_usable(self) -> bool:
        """Whether its daemon answers; the client alone builds nothing."""
        if shutil.which(self.name) is None:
            return False
        argv = [self.name, "version", "--format", "{{.Server.Version}}"]
        result = await process.run(argv, timeout_s=QUERY_S, check=False)
        return result.status == 0

    async def images(self) -> dict[str, str]:
        """The id of each image that the daemon keeps, by reference."""
        argv = [self.name, "images", "--no-trunc", "--format", "json"]
        result = await process.run(argv, timeout_s=QUERY_S)
        rows = [json.loads(line) for line in result.output.splitlines()]
        return {f"{row['Repository']}:{row['Tag']}": row["ID"] for row in rows}

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Get an image from its registry and give it a name of ours."""
        await process.run([self.name, "pull", "--quiet", source], timeout_s=timeout_s)
        await process.run([self.name, "tag", source, reference], timeout_s=QUERY_S)

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        """Build an image.

        Raises:
            CommandError: It did not build.
        """
        await process.run(
            [self.name, "build", "--progress", "plain", *request.options()],
            env={"DOCKER_BUILDKIT": "1"},
            timeout_s=BUILD_S,
            on_line=on_line,
            merged=True,
        )

    async def tag(self, image_id: str, reference: str) -> None:
        """Give an image one more name."""
        await process.run([self.name, "tag", image_id, reference], timeout_s=QUERY_S)

    async def remove_name(self, reference: str) -> None:
        """Take a name away, and with the last one the image, unless something needs it."""
        await process.run([self.name, "rmi", reference], timeout_s=QUERY_S, check=False)

    async def prune(self, before: float) -> None:
        """BuildKit's failed builds leave no images, and its cache has limits of its own."""

    async def remove_leftovers(self) -> None:
        """The daemon cleans up after itself."""

    async def save(
        self, images: Mapping[str, str], target: Path, on_progress: Callable[[str], None]
    ) -> None:
        """Write images into one OCI archive, which is what docker saves since version 25."""
        on_progress(f"packing {len(images)} images")
        for reference, image_id in images.items():
            await self.tag(image_id, reference)
        saved, unpacked = target.with_suffix(".saved"), target.with_suffix(".layout")
        await process.run([self.name, "save", "--output", saved, *images], timeout_s=SAVE_S)
        shutil.rmtree(unpacked, ignore_errors=True)
        await asyncio.to_thread(shutil.unpack_archive, saved, unpacked, "tar", filter="data")
        saved.unlink()
        names = {reference: reference for reference in images}
        await asyncio.to_thread(oci_layout.pack, unpacked, names, target)
        shutil.rmtree(unpacked)

    async def push(self, image_id: str, reference: str) -> str:
        """Push an image to its reference's registry; gives the digest that it has there.

        Raises:
            CommandError: It was not taken.
        """
        push = (self.name, "push", reference)
        await process.run([self.name, "tag", image_id, reference], timeout_s=QUERY_S)
        try:
            result = await process.run(push, timeout_s=PUSH_S)
        finally:  # the name only; the image has another
            await process.run([self.name, "rmi", reference], timeout_s=QUERY_S, check=False)
        match = PUSHED.search(result.output)
        if match is None:
            raise CommandError(push, result.status, result.output)
        return match[1]
