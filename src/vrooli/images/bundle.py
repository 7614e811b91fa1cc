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
from vrooli.images import layout
from vrooli.images.archive import archive as packed_archive
from vrooli.images.build import BuiltImage
from vrooli.images.builder import Builder


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
    wanted = {images[name].reference: others for name, others in references.items()}
    packed = await packed_archive([images[name] for name in references], progress, builder=builder)
    digests = await asyncio.to_thread(rename, packed, wanted, target)
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
        with tarfile.open(source) as read, tarfile.open(target, "w") as written:
            index = _index(read)
            by_name = {layout.name_of(manifest): manifest for manifest in index["manifests"]}
            manifests = [
                layout.named(by_name[known], wanted)
                for known, others in sorted(names.items())
                for wanted in sorted(set(others))
            ]
            layout.add(written, layout.INDEX, {**index, "manifests": manifests})
            for entry in read:
                if entry.name != layout.INDEX:
                    written.addfile(_plain(entry), read.extractfile(entry))
    except (tarfile.TarError, ValueError, KeyError) as error:
        raise VrooliError(f"{source} is no archive of {', '.join(names)}: {error}.") from error
    return {known: by_name[known]["digest"] for known in names}


def _index(archive: tarfile.TarFile) -> dict[str, Any]:
    content = archive.extractfile(layout.INDEX)
    if content is None:
        raise ValueError(f"its {layout.INDEX} is no file")
    found: dict[str, Any] = json.load(content)
    return found


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    plain = tarfile.TarInfo(entry.name)
    plain.size = entry.size
    return plain
