"""Builds with buildah, and with podman, which is buildah with another command line."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vrooli import process, project
from vrooli.errors import CommandError
from vrooli.images import oci_layout
from vrooli.images.builders import layout_push
from vrooli.images.builders.interface import (
    BUILD_S,
    PUSH_S,
    QUERY_S,
    RUN_S,
    SAVE_S,
    Request,
    is_loopback,
    run_words,
)
from vrooli.process import Completed

# The engine's error about an image that has an id, but no manifest yet.
HALF_WRITTEN = re.compile(r'locating item named "manifest" for image with ID "([0-9a-f]{64})"')
# Its error if another build has replaced and removed an image during a listing.
REMOVED = re.compile(r'locating image with ID "[0-9a-f]{64}": image not known')
# A running build writes the manifest within this time, seconds.
COMMIT_S, COMMIT_PAUSE_S = 10.0, 0.3


class Buildah:
    """buildah with a separate store in the cache; it never reads or changes other stores."""

    name = "buildah"
    _build_command: tuple[str, ...] = ("bud",)
    # Debian 12's podman does not support the level.
    _compression: tuple[str, ...] = ("--compression-format", "zstd", "--compression-level", "1")

    def __init__(self) -> None:
        self.store = project.cache_dir() / "images" / "store"
        # The run root is outside the store, in a folder that a restart of the host clears.
        own = os.environ.get("XDG_RUNTIME_DIR") if os.geteuid() else None
        runtime = Path(own or "/run")  # root has the same one in every session
        digest = hashlib.sha256(str(self.store).encode()).hexdigest()[:12]
        self.runtime = runtime / f"vrooli-images-{digest}"

    def command(self, *words: str | Path) -> list[str]:
        """The command line of an operation on this store."""
        own = ("--root", self.store, "--runroot", self.runtime)
        return [str(word) for word in (self.name, *own, *words)]

    async def is_usable(self) -> bool:
        """Whether the program is installed; it needs no daemon."""
        return shutil.which(self.name) is not None

    async def images(self) -> dict[str, str]:
        """The id of each image in the store, by reference."""
        answer = await self._run(*self._listing(), timeout_s=QUERY_S)
        listed = json.loads(answer.output or "null") or []
        return {
            name: row.get("id") or row["Id"]
            for row in listed
            for name in row.get("names") or row.get("Names") or ()
        }

    def _listing(self) -> tuple[str, ...]:
        return ("images", "--json", "--no-trunc")

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Pull an image from its registry and tag it."""
        plain = ("--tls-verify=false",) if is_loopback(source) else ()
        await process.run(self.command("pull", "--quiet", *plain, source), timeout_s=timeout_s)
        await process.run(self.command("tag", source, reference), timeout_s=QUERY_S)

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        """Build an image.

        Raises:
            CommandError: The build failed.
        """
        # Without a runtime, it also builds in containers and where cgroups cannot be created.
        options = ("--isolation", "chroot", "--layers", "--pull=false")
        await self._run(
            *(*self._build_command, *options, *request.options()),
            timeout_s=BUILD_S,
            on_line=on_line,
            merged=True,
        )

    async def _run(self, *words: str | Path, **settings: Any) -> Completed:
        """Run a command that reads every image, even if one of them is incomplete.

        The engine fails on an incomplete image. Either another build is writing or removing it,
        which takes a moment, or a build was killed while writing it: then it must be removed.
        """
        removed: set[str] = set()
        deadline = time.monotonic() + COMMIT_S
        while True:
            try:
                return await process.run(self.command(*words), **settings)
            except CommandError as error:
                match, is_late = HALF_WRITTEN.search(error.output), time.monotonic() > deadline
                if not is_late and (match or REMOVED.search(error.output)):
                    await asyncio.sleep(COMMIT_PAUSE_S)
                elif match is None or match[1] in removed:
                    raise
                else:
                    removed.add(match[1])
                    await process.run(self.command("rmi", "--force", match[1]), check=False)

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        """Run a command as root in a temporary container of an image; returns its output."""
        made = await process.run(
            self.command("from", "--quiet", "--pull=false", image_id), timeout_s=QUERY_S
        )
        container = made.output.strip()
        alone = ("--isolation", "chroot", "--user", "0")
        try:
            command = self.command("run", *alone, container, "--", *argv)
            return (await process.run(command, timeout_s=RUN_S)).output
        finally:
            await process.run(self.command("rm", container), timeout_s=QUERY_S, check=False)

    async def tag(self, image_id: str, reference: str) -> None:
        """Add a reference to an image."""
        await process.run(self.command("tag", image_id, reference), timeout_s=QUERY_S)

    async def remove_name(self, reference: str) -> None:
        """Remove a reference; with the last one also the image, unless another image needs it."""
        await process.run(self.command("rmi", reference), timeout_s=QUERY_S, check=False)

    async def prune(self, before: float) -> None:
        """Remove the untagged images that no other image needs: layers of earlier builds.

        Only this product uses the store. Base images of others are not listed; they are removed
        with the last image that is built on them. The store's times are whole seconds.
        """
        answer = await self._run(*self._listing(), timeout_s=QUERY_S)
        for row in json.loads(answer.output or "null") or []:
            named = row.get("names") or row.get("Names")
            if not named and _created(row) < math.floor(before):
                image_id = row.get("id") or row["Id"]
                await process.run(self.command("rmi", image_id), timeout_s=QUERY_S, check=False)

    async def remove_leftovers(self) -> None:
        """Remove the working containers that interrupted builds left; they are all ours."""
        await process.run(self.command("rm", "--all"), timeout_s=QUERY_S)

    async def save(
        self,
        images: Mapping[str, str],
        target: Path,
        on_progress: Callable[[str], None],
        present: Mapping[str, str] | None = None,
    ) -> None:
        """Write images, given as ids by reference, into one OCI archive.

        Images that are present at its reader, given as digests by reference, are omitted. A
        layout next to the store caches the compressed layers, so that only changed images
        are compressed again.
        """
        layout_folder = self.store.with_name("layout")
        # An image with two references is packed once, under the first.
        first_names: dict[str, str] = {}
        for number, (reference, image_id) in enumerate(images.items(), start=1):
            if first_names.setdefault(image_id, reference) != reference:
                continue
            if oci_layout.contains_image(layout_folder, reference, image_id):
                continue
            on_progress(f"packing {number}/{len(images)} {reference}")
            push = partial(self._push_to_layout, image_id, reference)
            await layout_push.add_image(layout_folder, push)
        names = {reference: first_names[image_id] for reference, image_id in images.items()}
        await asyncio.to_thread(oci_layout.pack, layout_folder, names, target, present)

    async def _push_to_layout(self, image_id: str, reference: str, folder: Path) -> None:
        push = self.command("push", "--quiet", *self._compression, image_id)
        await process.run([*push, f"oci:{folder}:{reference}"], timeout_s=SAVE_S)

    async def push(self, image_id: str, reference: str) -> str:
        """Push an image to its reference's registry; returns its digest there.

        Its layers are compressed with gzip, which every registry and runtime supports. The
        credentials are those of buildah, podman or docker on this machine.
        """
        plain = ("--tls-verify=false",) if is_loopback(reference) else ()
        with tempfile.TemporaryDirectory() as folder:
            digest_file = Path(folder) / "digest"
            options = (
                "--quiet",
                "--compression-format",
                "gzip",
                "--digestfile",
                digest_file,
                *plain,
            )
            push = self.command("push", *options, image_id, f"docker://{reference}")
            await process.run(push, timeout_s=PUSH_S)
            return digest_file.read_text().strip()


def _created(row: Mapping[str, Any]) -> float:
    """The creation time of an image in a listing, seconds since the epoch."""
    created = row.get("created", row.get("Created", 0))
    return float(created) if isinstance(created, int | float) else 0.0


class Podman(Buildah):
    """podman: the same engine and the same store."""

    name = "podman"
    _build_command = ("build",)
    _compression = ("--compression-format", "zstd")

    def _listing(self) -> tuple[str, ...]:
        return ("images", "--format", "json", "--no-trunc")

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        """Run a command as root in a temporary container of an image; returns its output."""
        command = self.command(*run_words(image_id, argv))
        return (await process.run(command, timeout_s=RUN_S)).output

    async def remove_leftovers(self) -> None:
        """Remove the working containers that interrupted builds left; they are all ours."""
        # podman treats containers of its builds as external, and removes them only by name.
        listing = self.command("ps", "--all", "--external", "--quiet")
        containers = (await process.run(listing, timeout_s=QUERY_S)).output.split()
        if containers:
            await process.run(self.command("rm", "--force", *containers), timeout_s=QUERY_S)
