"""Loads all images of an OCI archive into containerd."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from vrooli.cluster import image_archive
from vrooli.cluster.embedded.images.containerd_client import ctr
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import Record
from vrooli.errors import VrooliError
from vrooli.image_names import with_digest
from vrooli.locks import locked
from vrooli.process import run

IMPORT_S = 600.0
# A failed pull may store any response as the image. For images of localhost, containerd requests
# them from the node's port 80, where another server may respond with a page.
REAL = 'target.mediatype~="^application/vnd"'


def parse_images(listing: str) -> dict[str, str]:
    """The digest of each image in the output of ``ctr images ls``: name, type, digest, size."""
    rows = [line.split() for line in listing.splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


async def names(layout: Layout, record: Record) -> frozenset[str]:
    """The digests of the complete images in containerd, by name."""
    listing = await run(ctr(record, layout.containerd_socket, "images", "ls", "--quiet", REAL))
    return frozenset(listing.output.split())


async def load(layout: Layout, record: Record, archive: Path) -> list[str]:
    """Load the archive's images unless containerd has all of them.

    Returns:
        The names of the images that were missing or different.

    Raises:
        UsageError: The file is not an OCI archive.
        VrooliError: containerd has other images under these names after the import.
    """
    digests = image_archive.digests(archive)
    async with _alone(layout):
        return await _load(layout, record, archive, digests)


async def name_by_digest(layout: Layout, record: Record, archive: Path) -> None:
    """Add the name ``repository@digest`` to each image of an archive, and load what is missing.

    containerd resolves a reference with a digest by that name only, and an import adds none. A
    name states nothing about the content, so it is compared, and replaced if it is wrong.

    Raises:
        UsageError: The file is not an OCI archive.
        VrooliError: containerd has other images under these names after the import.
    """
    digests = image_archive.digests(archive)
    targets = {name: with_digest(name, digest) for name, digest in digests.items()}
    async with _alone(layout):
        await _load(layout, record, archive, digests)
        present = await fetch_digests(layout, record, targets.values())
        for name, target in targets.items():
            if present.get(target) != digests[name]:
                argv = ("images", "tag", "--force", name, target)
                await run(ctr(record, layout.containerd_socket, *argv))
        expected = {target: digests[name] for name, target in targets.items()}
        await _demand(layout, record, expected)


def _alone(layout: Layout) -> AbstractAsyncContextManager[None]:
    """Excludes other runs: one of them could replace a name between an import and its use."""
    return locked(layout.images_lock, lambda: None)


async def _load(
    layout: Layout, record: Record, archive: Path, digests: Mapping[str, str]
) -> list[str]:
    present = await fetch_digests(layout, record, digests)
    missing = [name for name, digest in digests.items() if present.get(name) != digest]
    if missing:
        await import_images(record, layout.containerd_socket, archive)
        await _demand(layout, record, digests)
    return missing


async def _demand(layout: Layout, record: Record, expected: Mapping[str, str]) -> None:
    """Compare what containerd has under names with the digests of an archive."""
    present = await fetch_digests(layout, record, expected)
    for name, digest in expected.items():
        if (actual := present.get(name)) != digest:
            raise VrooliError(
                f"containerd has {actual or 'no image'} as {name} after {digest} was loaded.",
                "Another program changes images of this name. Run the command again.",
            )


async def fetch_digests(layout: Layout, record: Record, images: Collection[str]) -> dict[str, str]:
    """The digests of the named images that containerd has, by name."""
    if not images:
        return {}
    # Without the names, ctr would also compute the size of all other images from their blobs.
    filters = [f'name=="{name}"' for name in images]
    listing = await run(ctr(record, layout.containerd_socket, "images", "ls", *filters))
    return parse_images(listing.output)


async def import_images(record: Record, socket: Path, archive: Path, snapshotter: str = "") -> None:
    """Import and unpack an archive's images with the containerd at a socket."""
    options = ["--snapshotter", snapshotter] if snapshotter else []
    arguments = ["images", "import", *options, str(archive)]
    await run(ctr(record, socket, *arguments), timeout_s=IMPORT_S)
