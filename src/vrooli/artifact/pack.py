"""Assembles an artifact: its files, their checksums and its record; installs it atomically."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vrooli.artifact import model
from vrooli.artifact.model import Artifact, ArtifactFile
from vrooli.errors import UsageError

# Errors of writing a folder that the user can correct.
_USER_ERRORS = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)


@contextlib.contextmanager
def workspace(version_folder: Path) -> Iterator[Path]:
    """A temporary folder to assemble an artifact in, on the same disk as the target.

    Raises:
        UsageError: The folder cannot be written.
    """
    try:
        version_folder.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(dir=version_folder, prefix=".making-")
    except OSError as error:
        if error.errno not in _USER_ERRORS:
            raise
        raise UsageError(
            f"The folder {version_folder} can't be written: {error.strerror}.",
            "Name another one with --out.",
        ) from error
    try:
        with temporary as folder:
            yield Path(folder)
    finally:
        with contextlib.suppress(OSError):  # not empty, as usual after success
            version_folder.rmdir()


def measure_folder(folder: Path) -> dict[str, ArtifactFile]:
    """Each file of a folder except the record, by its relative path."""
    return {
        name: measure_file(folder / name)
        for name in sorted(list_files(folder))
        if name != model.RECORD
    }


def measure_file(path: Path) -> ArtifactFile:
    """A file's size and checksum."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ArtifactFile(sha256=digest, size=path.stat().st_size)


def list_files(folder: Path) -> set[str]:
    """The paths of everything below a folder that is not a folder, links included."""
    paths = set()
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(base) / name).is_symlink()]
        paths |= {str((Path(base) / name).relative_to(folder)) for name in (*files, *links)}
    return paths


def install(workspace_folder: Path, artifact: Artifact, target: Path) -> bool:
    """Write the record of an assembled artifact and move the artifact to its target.

    Args:
        workspace_folder: The folder that contains the artifact's files.
        artifact: Its record.
        target: The target folder; an existing artifact is replaced as a whole.

    Returns:
        Whether that changed anything: an equal artifact is left unchanged.

    Raises:
        UsageError: The target exists and is not an artifact.
    """
    record = artifact.text().encode()
    (workspace_folder / model.RECORD).write_bytes(record)
    if _is_same(target, artifact, record):
        return False
    if target.exists() and not (target / model.RECORD).exists() and list_files(target):
        raise UsageError(
            f"{target} contains files, but no artifact.",
            "Move them away, or name another folder with --out.",
        )
    for path in (workspace_folder, *workspace_folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if target.exists():
        target.rename(workspace_folder.with_name("replaced"))
    workspace_folder.rename(target)
    shutil.rmtree(workspace_folder.with_name("replaced"), ignore_errors=True)
    return True


def _is_same(target: Path, artifact: Artifact, record: bytes) -> bool:
    path = target / model.RECORD
    if not path.is_file() or path.read_bytes() != record:
        return False
    return (
        list_files(target) == {model.RECORD, *artifact.files}
        and measure_folder(target) == artifact.files
    )
