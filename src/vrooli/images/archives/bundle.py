"""An archive of images under other names than the builder has for them: those of a registry."""

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
from vrooli.images.build.engine import BuiltImage
from vrooli.images.builders.interface import Builder


async def bundle(
    images: Mapping[str, BuiltImage],
    references: Mapping[str, Sequence[str]],
    target: Path,
    progress: Progress,
    *,
    builder: Builder | None = None,
) -> dict[str, str]:
    """Write images into one OCI archive, each once, under as many names as are wanted.

    Args:
        images: The images, built here, by their names in the catalog.
        references: What each is called in the archive, by the same names.
        target: The archive; the same images make the same bytes.
        progress: Hears when they have to be packed.
        builder: What keeps the images; without it, the one that this machine has.

    Returns:
        The digest of each one's manifest, which is what a registry calls it.

    Raises:
        PrerequisiteError: There is no builder.
        VrooliError: An image could not be written.
    """
    names = {images[name].reference: others for name, others in references.items()}
    packed = await packed_archive([images[name] for name in references], progress, builder=builder)
    digests = await asyncio.to_thread(rename, packed, names, target)
    return {name: digests[images[name].reference] for name in references}


def rename(source: Path, names: Mapping[str, Sequence[str]], target: Path) -> dict[str, str]:
    """Copy an archive, each image under other names, without owners and times.

    Args:
        source: An archive that :func:`vrooli.images.layout.pack` wrote.
        names: The wanted names, by the name that an image has now.
        target: The copy.

    Returns:
        The manifests' digests, by the names that the images have now.

    Raises:
        VrooliError: An image isn't in the archive, or it is no such archive.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(source) as source_tar, tarfile.open(target, "w") as target_tar:
            index = _read_index(source_tar)
            by_name = {oci_layout.image_name(manifest): manifest for manifest in index["manifests"]}
            manifests = [
                oci_layout.with_name(by_name[name], reference)
                for name, others in sorted(names.items())
                for reference in sorted(set(others))
            ]
            oci_layout.add_json(target_tar, oci_layout.INDEX, {**index, "manifests": manifests})
            for entry in source_tar:
                if entry.name != oci_layout.INDEX:
                    target_tar.addfile(_without_metadata(entry), source_tar.extractfile(entry))
    except (tarfile.TarError, ValueError, KeyError) as error:
        raise VrooliError(f"{source} is no archive of {', '.join(names)}: {error}.") from error
    return {name: by_name[name]["digest"] for name in names}


def _read_index(archive: tarfile.TarFile) -> dict[str, Any]:
    content = archive.extractfile(oci_layout.INDEX)
    if content is None:
        raise ValueError(f"its {oci_layout.INDEX} is no file")
    index: dict[str, Any] = json.load(content)
    return index


def _without_metadata(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    copy = tarfile.TarInfo(entry.name)
    copy.size = entry.size
    return copy
