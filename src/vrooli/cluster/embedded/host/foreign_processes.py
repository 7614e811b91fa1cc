"""Detects processes outside the cluster, such as another containerd, that use its files."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import PrerequisiteError

SHARERS = frozenset({"containerd", "kubelet", "etcd", "kube-apiserver", "dockerd", "k3s"})
# Databases that are locked while they are open.
DATABASES = ("containerd/io.containerd.metadata.v1.bolt/meta.db", "etcd/member/snap/db")


def refuse_foreign_processes(layout: Layout) -> None:
    """Raise if a process outside the cluster uses the cluster's files.

    Call it only when none of the cluster's own processes remain.

    Raises:
        PrerequisiteError: There is one; it is named.
    """
    processes = {*_processes_naming(layout.root), *_processes_locking(layout.root)}
    if processes:
        listed = ", ".join(f"{name} (process {pid})" for pid, name in sorted(processes))
        raise PrerequisiteError(
            f"The files of the cluster {layout.name} in {layout.root} are in use by {listed}, "
            "which the cluster did not start.",
            "Stop it, or use another cluster name or VROOLI_STATE_DIR.",
        )


def _processes_naming(root: Path) -> set[tuple[int, str]]:
    """The processes that name the cluster's folder on their command line."""
    processes = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it just ended
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            names = sharers_in(arguments, root)
            processes |= {(int(folder.name), name) for name in names}
    return processes


def sharers_in(arguments: Collection[str], root: Path) -> set[str]:
    """The known programs that a command line runs with the folder as an argument."""
    if not any(f"{root}/" in word or word.endswith(str(root)) for word in arguments):
        return set()
    return {Path(word).name for word in list(arguments)[:1]} & SHARERS


def _processes_locking(root: Path) -> set[tuple[int, str]]:
    """The processes that have one of the cluster's databases open."""
    locks = Path("/proc/locks").read_text()
    processes = set()
    for database in DATABASES:
        path = root / database
        if path.exists() and _locked(path):
            pid = lock_owner(locks, path.stat().st_ino)
            processes.add((pid, _program(pid)))
    return processes


def _locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock_owner(locks: str, inode: int) -> int:
    """The process that holds a lock on an inode, in the text of /proc/locks; 0 if unknown."""
    for line in locks.splitlines():
        arguments = line.split()
        if "->" not in arguments and arguments[-3].endswith(f":{inode}"):
            return int(arguments[-4])
    return 0


def _program(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return "a process"
