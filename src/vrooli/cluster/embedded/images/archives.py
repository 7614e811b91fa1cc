"""Loads all images of an OCI archive into containerd."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from vrooli.cluster.embedded.images.containerd_client import ctr
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import Record
from vrooli.errors import UsageError
from vrooli.image_names import with_digest
from vrooli.process import run

IMPORT_S = 600.0
# A failed pull may store any response as the image. For images of localhost, containerd requests
# them from the node's port 80, where another server may respond with a page.
REAL = 'target.mediatype~="^application/vnd"'
# The annotations of an image's name in archives: containerd's and the OCI layout's.
NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def images_in(archive: Path) -> dict[str, str]:
    """The digest of each image in an OCI archive, by name.

    Raises:
        UsageError: It is not an OCI archive, or an image in it has no name.
    """
    try:
        with tarfile.open(archive) as tar:
            member = next(part for part in tar if part.name.removeprefix("./") == "index.json")
            content = tar.extractfile(member)
            index = json.load(content) if content else {}
        return {_name(manifest): manifest["digest"] for manifest in index["manifests"]}
    except (OSError, tarfile.TarError, KeyError, ValueError, StopIteration) as error:
        raise UsageError(
            f"{archive} is not an OCI archive with named images: {error}",
            "Create it with `buildah push IMAGE oci-archive:FILE:IMAGE`.",
        ) from error


def _name(manifest: dict[str, dict[str, str]]) -> str:
    annotations = manifest.get("annotations", {})
    return next(annotations[key] for key in NAME_ANNOTATIONS if key in annotations)


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
    """
    digests = images_in(archive)
    # Without the names, ctr would also compute the size of all other images from their blobs.
    filters = [f'name=="{name}"' for name in digests]
    listing = await run(ctr(record, layout.containerd_socket, "images", "ls", *filters))
    present = parse_images(listing.output)
    missing = [name for name, digest in digests.items() if present.get(name) != digest]
    if missing:
        await import_images(record, layout.containerd_socket, archive)
    return missing


async def name_by_digest(layout: Layout, record: Record, archive: Path) -> dict[str, str]:
    """Add the name ``repository@digest`` to each loaded image of an archive.

    containerd resolves a reference with a digest by that name only, and an import adds none.

    Returns:
        The digest of each image, by its name in the archive.
    """
    digests = images_in(archive)
    present = await names(layout, record)
    for name, digest in digests.items():
        if (target := with_digest(name, digest)) not in present:
            await run(ctr(record, layout.containerd_socket, "images", "tag", name, target))
    return digests


async def import_images(record: Record, socket: Path, archive: Path, snapshotter: str = "") -> None:
    """Import and unpack an archive's images with the containerd at a socket."""
    options = ["--snapshotter", snapshotter] if snapshotter else []
    arguments = ["images", "import", *options, str(archive)]
    await run(ctr(record, socket, *arguments), timeout_s=IMPORT_S)
