"""What an image archive contains: an OCI layout in a tar file. No cluster is needed here."""

from __future__ import annotations

import json
import os
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vrooli.errors import UsageError
from vrooli.image_names import canonical

# The annotations of an image's name in archives: containerd's and the OCI layout's.
NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
INDEX = "index.json"
# The list of images that Docker reads before version 25, and without its store of containerd.
DOCKER_INDEX = "manifest.json"
# The largest index and manifest, bytes: both are lists of a few hundred bytes per image and layer.
MAX_JSON_BYTES = 4 * 1024**2


@dataclass(frozen=True)
class ArchivedImage:
    """An image in an archive.

    Attributes:
        digest: The digest of its manifest, by which registries and containerd identify it.
        config: The digest of its configuration, which Docker and CRI call its ID; empty if the
            image is a list of images for several platforms.
    """

    digest: str
    config: str = ""


def read(archive: Path) -> dict[str, ArchivedImage]:
    """The images in an OCI archive, by name.

    Programs differ in which of two members of one name they read, so an archive with two is
    refused: it could be compared as one image and loaded as another.

    Raises:
        UsageError: It is not an OCI archive, it is ambiguous, or an image in it has no name.
    """
    try:
        with tarfile.open(archive) as tar:
            members = _members(tar)
            index = _json(tar, members[INDEX])
            images = [
                (_name(entry), ArchivedImage(entry["digest"], _config(tar, members, entry)))
                for entry in index["manifests"]
            ]
            _demand_unambiguous(images, _docker_configs(tar, members))
    except (OSError, tarfile.TarError, LookupError, TypeError, ValueError, StopIteration) as error:
        raise UsageError(
            f"{archive} is not an OCI archive with named images: {error}",
            "Create it with `buildah push IMAGE oci-archive:FILE:IMAGE`.",
        ) from error
    return dict(images)


@contextmanager
def unchanged(archive: Path) -> Iterator[Path]:
    """A path of an archive that is the same file during the block, even if another replaces it.

    Raises:
        UsageError: It cannot be opened, or its content was changed during the block.
    """
    try:
        file = archive.open("rb")
    except OSError as error:
        raise UsageError(f"{archive} cannot be read: {error.strerror}") from error
    with file:
        before = _state(file)
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        if _state(file) != before:
            raise UsageError(
                f"{archive} was changed while its images were loaded.",
                "Find out which program writes to it, then run the command again.",
            )


def _state(file: BinaryIO) -> tuple[int, int, int]:
    """What changes with each write; only the kernel sets the time of the last change."""
    stat = os.fstat(file.fileno())
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def digests(archive: Path) -> dict[str, str]:
    """The digest of each image in an OCI archive, by name.

    Raises:
        UsageError: It is not an OCI archive, it is ambiguous, or an image in it has no name.
    """
    return {name: image.digest for name, image in read(archive).items()}


def _members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """The files by name; the names are compared as programs do that clean paths."""
    result: dict[str, tarfile.TarInfo] = {}
    for member in tar:
        if member.isdir():
            continue
        name = posixpath.normpath(f"/{member.name}").lstrip("/")
        if not member.isfile():
            raise ValueError(f"{member.name!r} is neither a file nor a folder")
        if name in result:
            raise ValueError(f"it contains {name!r} twice")
        # Names that Python gives a file, and Go does not: of a global header, and of sparse files.
        if "path" in tar.pax_headers or "GNU.sparse.name" in member.pax_headers:
            raise ValueError(f"{member.name!r} has another name for other programs")
        result[name] = member
    return result


def _json(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    if member.size > MAX_JSON_BYTES:
        raise ValueError(f"{member.name} has more than {MAX_JSON_BYTES} bytes")
    content = tar.extractfile(member)
    return json.load(content) if content else {}


def _docker_configs(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]) -> dict[str, str]:
    """The configuration of each image by its full name, as Docker reads the archive."""
    entries = _json(tar, members[DOCKER_INDEX]) if DOCKER_INDEX in members else []
    return {
        canonical(name): posixpath.basename(entry["Config"]).removesuffix(".json")
        for entry in entries
        for name in entry["RepoTags"] or ()
    }


def _demand_unambiguous(
    images: list[tuple[str, ArchivedImage]], configs: Mapping[str, str]
) -> None:
    """Refuse two images of one name, and other images for Docker than for other programs."""
    by_name = dict(images)
    if any(by_name[name] != image for name, image in images):
        raise ValueError("two images have one name")
    expected = {canonical(name): image.config.partition(":")[2] for name, image in images}
    for name, config in configs.items():
        if expected.get(name) != config:
            raise ValueError(f"{DOCKER_INDEX} and {INDEX} differ in {name}")


def _name(entry: Mapping[str, Any]) -> str:
    annotations = entry.get("annotations", {})
    return str(next(annotations[key] for key in NAME_ANNOTATIONS if key in annotations))


def _config(
    tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], entry: Mapping[str, Any]
) -> str:
    """The digest of an image's configuration; empty without its manifest, or with several."""
    member = members.get(f"blobs/{entry['digest'].replace(':', '/')}")
    manifest = _json(tar, member) if member else {}
    return str(manifest.get("config", {}).get("digest", ""))
