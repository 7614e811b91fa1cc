"""An OCI archive in which images have their registry references instead of the builder's names."""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.images import oci_layout
from vrooli.images.archives.image_archive import archive as packed_archive
from vrooli.images.builders.interface import Builder
from vrooli.images.builds.engine import BuiltImage


async def bundle(
    images: Mapping[str, BuiltImage],
    references: Mapping[str, Sequence[str]],
    target: Path,
    progress: Progress,
    *,
    builder: Builder | None = None,
) -> dict[str, str]:
    """Write images into one OCI archive, each once, under one or more references.

    Args:
        images: The images, built on this machine, by their names in the catalog.
        references: The references of each image in the archive, by the same names.
        target: The archive; the same images produce the same bytes.
        progress: Reports that images are packed.
        builder: The builder that stores the images; by default the one of this machine.

    Returns:
        The digest of each image's manifest, by which registries identify it.

    Raises:
        PrerequisiteError: No builder is available.
        VrooliError: An image could not be written.
    """
    names = {images[name].reference: others for name, others in references.items()}
    packed = await packed_archive([images[name] for name in references], progress, builder=builder)
    digests = await asyncio.to_thread(rename, packed, names, target)
    return {name: digests[images[name].reference] for name in references}


def rename(source: Path, names: Mapping[str, Sequence[str]], target: Path) -> dict[str, str]:
    """Copy an archive with new names for each image, without owners and times.

    Args:
        source: An archive that :func:`vrooli.images.layout.pack` wrote.
        names: The new names of each image, by its current name.
        target: The copy.

    Returns:
        The manifests' digests, by the images' current names.

    Raises:
        VrooliError: An image is not in the archive, or the archive is invalid.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(source) as source_tar, tarfile.open(target, "w") as target_tar:
            index: dict[str, Any] = _read(source_tar, oci_layout.INDEX)
            by_name = {oci_layout.image_name(manifest): manifest for manifest in index["manifests"]}
            manifests = [
                oci_layout.with_name(by_name[name], reference)
                for name, others in sorted(names.items())
                for reference in sorted(set(others))
            ]
            oci_layout.add_json(target_tar, oci_layout.INDEX, {**index, "manifests": manifests})
            oci_layout.add_json(
                target_tar, oci_layout.DOCKER_INDEX, _docker_index(source_tar, names)
            )
            for entry in source_tar:
                if entry.name not in (oci_layout.INDEX, oci_layout.DOCKER_INDEX):
                    target_tar.addfile(_without_metadata(entry), source_tar.extractfile(entry))
    except (tarfile.TarError, ValueError, KeyError) as error:
        raise VrooliError(f"{source} is not an archive of {', '.join(names)}: {error}.") from error
    return {name: by_name[name]["digest"] for name in names}


def _docker_index(
    archive: tarfile.TarFile, names: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Docker's list of the images of an archive, with new names."""
    entries = {
        name: entry
        for entry in _read(archive, oci_layout.DOCKER_INDEX)
        for name in entry["RepoTags"]
    }
    return [
        oci_layout.docker_entry(entries[name], sorted(set(others)))
        for name, others in sorted(names.items())
        if name in entries
    ]


def _read(archive: tarfile.TarFile, name: str) -> Any:
    content = archive.extractfile(name)
    if content is None:
        raise ValueError(f"its {name} is not a file")
    return json.load(content)


def _without_metadata(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    copy = tarfile.TarInfo(entry.name)
    copy.size = entry.size
    return copy
