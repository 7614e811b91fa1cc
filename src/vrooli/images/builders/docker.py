"""Builds with docker's BuildKit."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vrooli import process
from vrooli.errors import CommandError
from vrooli.images import oci_layout
from vrooli.images.builders.interface import (
    BUILD_S,
    PUSH_S,
    QUERY_S,
    RUN_S,
    SAVE_S,
    Request,
    run_words,
)

# The last line of a push.
PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64})")


class Docker:
    """docker: its daemon stores the images, together with other images of the machine."""

    name = "docker"

    async def is_usable(self) -> bool:
        """Whether its daemon responds; the client alone cannot build."""
        if shutil.which(self.name) is None:
            return False
        argv = [self.name, "version", "--format", "{{.Server.Version}}"]
        result = await process.run(argv, timeout_s=QUERY_S, check=False)
        return result.status == 0

    async def images(self) -> dict[str, str]:
        """The id of each image in the daemon's store, by reference."""
        argv = [self.name, "images", "--no-trunc", "--format", "json"]
        result = await process.run(argv, timeout_s=QUERY_S)
        rows = [json.loads(line) for line in result.output.splitlines()]
        return {f"{row['Repository']}:{row['Tag']}": row["ID"] for row in rows}

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Pull an image from its registry and tag it."""
        await process.run([self.name, "pull", "--quiet", source], timeout_s=timeout_s)
        await process.run([self.name, "tag", source, reference], timeout_s=QUERY_S)

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        """Build an image.

        Raises:
            CommandError: The build failed.
        """
        await process.run(
            [self.name, "build", "--progress", "plain", *request.options()],
            env={"DOCKER_BUILDKIT": "1"},
            timeout_s=BUILD_S,
            on_line=on_line,
            merged=True,
        )

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        """Run a command as root in a temporary container of an image; returns its output."""
        command = [self.name, *run_words(image_id, argv)]
        return (await process.run(command, timeout_s=RUN_S)).output

    async def tag(self, image_id: str, reference: str) -> None:
        """Add a reference to an image."""
        await process.run([self.name, "tag", image_id, reference], timeout_s=QUERY_S)

    async def remove_name(self, reference: str) -> None:
        """Remove a reference; with the last one also the image, unless another image needs it."""
        await process.run([self.name, "rmi", reference], timeout_s=QUERY_S, check=False)

    async def prune(self, before: float) -> None:
        """Do nothing: failed builds leave no images, and BuildKit limits its cache itself."""

    async def remove_leftovers(self) -> None:
        """Do nothing: the daemon removes the remains of interrupted builds."""

    async def save(
        self,
        images: Mapping[str, str],
        target: Path,
        on_progress: Callable[[str], None],
        present: Mapping[str, str] | None = None,
    ) -> None:
        """Write images into one OCI archive, the format of ``docker save`` since version 25."""
        on_progress(f"packing {len(images)} images")
        for reference, image_id in images.items():
            await self.tag(image_id, reference)
        saved, unpacked = target.with_suffix(".saved"), target.with_suffix(".layout")
        await process.run([self.name, "save", "--output", saved, *images], timeout_s=SAVE_S)
        shutil.rmtree(unpacked, ignore_errors=True)
        await asyncio.to_thread(shutil.unpack_archive, saved, unpacked, "tar", filter="data")
        saved.unlink()
        names = {reference: reference for reference in images}
        await asyncio.to_thread(oci_layout.pack, unpacked, names, target, present)
        shutil.rmtree(unpacked)

    async def push(self, image_id: str, reference: str) -> str:
        """Push an image to its reference's registry; returns its digest there.

        Raises:
            CommandError: The push failed.
        """
        push = (self.name, "push", reference)
        await process.run([self.name, "tag", image_id, reference], timeout_s=QUERY_S)
        try:
            result = await process.run(push, timeout_s=PUSH_S)
        finally:  # only this reference; the image has another one
            await process.run([self.name, "rmi", reference], timeout_s=QUERY_S, check=False)
        match = PUSHED.search(result.output)
        if match is None:
            raise CommandError(push, result.status, result.output)
        return match[1]
