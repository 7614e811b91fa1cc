"""Free space on disks."""

from __future__ import annotations

import shutil
from pathlib import Path

from vrooli.errors import PrerequisiteError


def require_space(folder: Path, required_bytes: int, consumer: str) -> None:
    """Create a folder, and require free space on its disk.

    Args:
        folder: The folder.
        required_bytes: The required space, bytes.
        consumer: What requires it, with its verb, such as "images need".

    Raises:
        PrerequisiteError: Its disk has less.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < required_bytes:
        raise no_space_error(
            f"{folder} has {free / 1024**3:.1f} GiB free; {consumer} "
            f"{required_bytes / 1024**3:.0f} GiB."
        )


def no_space_error(message: str) -> PrerequisiteError:
    """The error of a full disk."""
    return PrerequisiteError(message, "Free some space, or set VROOLI_CACHE_DIR to a larger disk.")
