"""One archive of many images to load into a cluster; it is recreated only when an image changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from vrooli.events import Progress
from vrooli.images import records
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder
from vrooli.images.builds.engine import BuiltImage
from vrooli.locks import locked

# The number of archives to keep: those of the last few requested sets of images.
MAX_ARCHIVES = 4
# Changes with the contents of an archive of the same images.
FORMAT = 3


async def archive(
    images: Iterable[BuiltImage],
    progress: Progress,
    *,
    builder: Builder | None = None,
    present: Mapping[str, str] | None = None,
) -> Path:
    """The archive that holds the images: an OCI layout in a tar file, each layer once.

    Args:
        images: The images; intermediate ones are omitted.
        progress: Reports that the archive is created.
        builder: The builder that stores the images; by default the one of this machine.
        present: The digests of the images that the cluster has, by reference: these images are
            omitted, and of others the layers that they share.

    Raises:
        PrerequisiteError: No builder is available.
        VrooliError: An image could not be written.
    """
    ids = sorted((name, image.id) for image in images for name in image.names)
    contents = (FORMAT, ids, sorted(present.items())) if present else (FORMAT, ids)
    key = hashlib.sha256(repr(contents).encode()).hexdigest()[:16]
    path = records.folder() / "archives" / f"{key}.tar"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        waiting = "waiting for another run that packs images"
        async with locked(path.with_name("lock"), lambda: progress.report(waiting)):
            if not path.exists():  # another run may have created it meanwhile
                partial = path.with_suffix(".partial")
                chosen = builder or await detect()
                await chosen.save(dict(ids), partial, progress.report, present)
                partial.replace(path)
    os.utime(path)
    _remove_unused(path.parent)
    return path


def _remove_unused(folder: Path) -> None:
    by_use = sorted(folder.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_use[MAX_ARCHIVES:]:
        path.unlink(missing_ok=True)
