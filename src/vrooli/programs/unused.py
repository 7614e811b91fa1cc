"""Programs in the cache that nothing needs: those of other versions that no process runs."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from vrooli.locks import open_private, try_lock
from vrooli.programs.catalog import GROUPS
from vrooli.programs.store import folder

PROCESSES = Path("/proc")


def find_unused(in_use: Collection[Path]) -> list[Path]:
    """The folders of programs that are not of this version and not in use.

    Args:
        in_use: Programs of clusters, which may be stopped. Those of running processes are added.
    """
    current = {folder(group) for group in GROUPS}
    used = {*in_use, *running(PROCESSES)}
    parent = folder(GROUPS[0]).parent
    if not parent.is_dir():
        return []
    return [
        path
        for path in sorted(parent.iterdir())
        if path.is_dir()
        and path not in current
        and not any(program.is_relative_to(path) for program in used)
    ]


def remove(path: Path) -> bool:
    """Remove a folder of programs; returns whether it was removed: not while a run fills it."""
    lock = path.with_name(f"{path.name}.lock")
    with open_private(lock) as file:
        if not try_lock(file):
            return False
        shutil.rmtree(path)
        lock.unlink()
    return True


def running(processes: Path) -> set[Path]:
    """The programs of all processes."""
    programs = set()
    for link in processes.glob("[0-9]*/exe"):
        with contextlib.suppress(OSError):  # it ended, or is a thread of the kernel
            programs.add(link.readlink())
    return programs
