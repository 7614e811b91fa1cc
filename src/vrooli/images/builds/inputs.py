"""The hash of an image's inputs: an image is rebuilt only if it changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from vrooli.images.catalog import Image

# Files in a source folder that are not sources.
IGNORED_FOLDERS = frozenset({"__pycache__", "node_modules", "dist", "tests", ".pytest_cache"})


def inputs_hash(image: Image, base_id: str | None, programs: Mapping[str, str]) -> str:
    """The hash of everything that determines the image's content.

    Args:
        image: The image.
        base_id: The id of its base image.
        programs: The digest of each program that it copies.
    """
    digest = hashlib.sha256(f"{image.reference}\n{base_id}\n".encode())
    digest.update(_content(image.containerfile))
    for path in _source_files(image):
        executable = "x" if os.access(path, os.X_OK) else "-"
        digest.update(f"{path.relative_to(image.context_dir)} {executable}\n".encode())
        digest.update(_content(path))
    for name in sorted(image.programs):
        digest.update(f"{name} {programs[name]}\n".encode())
    return digest.hexdigest()


def is_input(image: Image, path: Path) -> bool:
    """Whether a file, which may be new or deleted, is one of the image's inputs."""
    roots = (image.context_dir / source for source in image.sources or (".",))
    is_source = any(
        path.is_relative_to(root)
        and not IGNORED_FOLDERS.intersection(path.relative_to(root).parts[:-1])
        for root in roots
    )
    return is_source or path == image.containerfile


def _content(path: Path) -> bytes:
    # Hash each file separately, so that content cannot be mistaken for a file name.
    return hashlib.sha256(path.read_bytes()).digest()


def _source_files(image: Image) -> Iterator[Path]:
    for source in sorted(image.sources or (".",)):
        if (image.context_dir / source).is_file():
            yield image.context_dir / source
        for folder, folders, files in os.walk(image.context_dir / source):
            folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS)
            yield from (Path(folder) / name for name in sorted(files))
    for name in (".containerignore", ".dockerignore"):
        if image.sources and (image.context_dir / name).exists():
            yield image.context_dir / name
