"""Files that root executes or believes: nobody else may be able to change them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vrooli import shell
from vrooli.errors import PrerequisiteError

ROOT = 0
SHARED = stat.S_IWGRP | stat.S_IWOTH
# The links that Linux follows in a path; another user may let one lead to itself meanwhile.
MAX_LINKS = 40


def require_trusted(path: Path) -> None:
    """Require that only root can change a file or folder, or put another one in its place.

    Raises:
        PrerequisiteError: Another user can.
    """
    _require(path, find_untrusted(path))


def create_trusted(path: Path, mode: int = 0o755) -> None:
    """Create a folder that only root can change; nothing is created below one that others can.

    Args:
        path: The folder; its parents are created too.
        mode: Its permissions if it does not exist yet.

    Raises:
        PrerequisiteError: Another user can change it, or a folder above it.
    """
    above = next((parent for parent in path.absolute().parents if parent.exists()), path)
    _require(path, find_untrusted(above, is_parent=True))
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    require_trusted(path)


def _require(path: Path, untrusted: Iterator[tuple[Path, str]]) -> None:
    for part, reason in untrusted:
        # A link of another user leads to where that user wants, and the name there is theirs, too.
        word = shell.path_of_file(part)
        repair = f"rm {word}"
        if not part.is_symlink():
            repair = f"chown -h root:root {word} && chmod go-w {word}"
        raise PrerequisiteError(
            f"{path} is used as root, but {part} {reason}.",
            shell.checked(
                f"Check its content, then run `{repair}`, or set VROOLI_CACHE_DIR and "
                "VROOLI_STATE_DIR to folders of root."
            ),
        )


def find_untrusted(path: Path, *, is_parent: bool = False) -> Iterator[tuple[Path, str]]:
    """The parts of a path that other users than root can change, with the reasons.

    All folders above it count, and each symbolic link on the way with the folders above it. There
    are none for other users, who risk only their own account, and for a path that does not exist.

    Args:
        path: The file or folder.
        is_parent: Whether it only contains what is used, as the folders above it do.
    """
    if os.geteuid() != ROOT or not path.exists():
        return
    steps = list(_steps(path.absolute()))
    for part in dict.fromkeys(part for step in steps for part in (step, *step.parents)):
        contains = is_parent or part not in (steps[0], steps[-1])
        reason = distrust(part.lstat(), is_parent=contains)
        if reason:
            yield part, reason


def distrust(status: os.stat_result, *, is_parent: bool) -> str:
    """Why a file or folder is not trusted; empty if it is.

    Args:
        status: Its own status, not that of the target of a link.
        is_parent: Whether it only contains what is used. In a folder with the sticky bit, such as
            /tmp, users can replace their own files only.
    """
    if status.st_uid != ROOT:
        return f"belongs to the user {status.st_uid}"
    if stat.S_ISLNK(status.st_mode):
        return ""  # a link has no permissions of its own
    writers = status.st_mode & SHARED
    if status.st_gid == ROOT:
        writers &= ~stat.S_IWGRP
    if not writers or (is_parent and status.st_mode & stat.S_ISVTX):
        return ""
    return f"can be changed by other users (mode {stat.S_IMODE(status.st_mode):04o})"


def _steps(path: Path) -> Iterator[Path]:
    """A path, what it is after the first link in it, after the next one, and at last its target."""
    yield path
    for _ in range(MAX_LINKS):
        links = [part for part in (*reversed(path.parents), path) if part.is_symlink()]
        if not links:
            return
        path = links[0].parent / links[0].readlink() / path.relative_to(links[0])
        yield path
