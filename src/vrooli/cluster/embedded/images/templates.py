"""Shares unpacked images between new clusters: unpacked once per archive, hard-linked into each.

Unpacking images is the longest part of a new cluster's start. The result is cached, and a new
cluster starts with hard links to it: containers use layers through overlayfs, which never writes
to them. Only containerd's databases are copied. An existing cluster imports images normally.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from vrooli import project
from vrooli.cluster import image_archive
from vrooli.cluster.embedded.components import containerd_config
from vrooli.cluster.embedded.images import archives
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import Record
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.process import run
from vrooli.trust import create_trusted

# Templates to keep: those of the last few archives.
MAX_TEMPLATES = 2
UNPACK_S, ANSWER_S, COPY_S = 900.0, 30.0, 120.0


def folder() -> Path:
    """The folder of the templates; all of them can be recreated."""
    return project.cache_dir() / "containerd"


def key(record: Record, archive: Path, snapshotter: str) -> str:
    """The key of a template: the images, the containerd and the snapshotter."""
    inputs = [image_archive.digests(archive), record.program("containerd"), snapshotter]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


async def provide(
    layout: Layout, record: Record, archive: Path, snapshotter: str, progress: Progress
) -> bool:
    """Provide a new cluster with the archive's images; leaves an existing cluster unchanged.

    Returns:
        Whether the images are in place. If not, import them: the cluster exists, or the cache is
        on another disk.
    """
    if layout.containerd.exists() or not _is_usable(layout):
        return False
    template = folder() / key(record, archive, snapshotter)
    async with _locked():
        if not template.exists():
            progress.report("Unpacking the images of new clusters, once")
            await _create(record, archive, snapshotter, template)
        os.utime(template)
        _remove_unused()
        await _link(template, layout.containerd)
    return True


def _is_usable(layout: Layout) -> bool:
    cache = folder()
    create_trusted(cache, 0o700)
    return cache.stat().st_dev == layout.lock.parent.stat().st_dev


async def _create(record: Record, archive: Path, snapshotter: str, template: Path) -> None:
    """Unpack the archive with a separate containerd in its own mount namespace."""
    workspace = template.with_name("making")
    shutil.rmtree(workspace, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="vrooli-") as short:  # sockets' paths are limited
        socket, config = Path(short) / "containerd.sock", Path(short) / "containerd.toml"
        config.write_text(
            containerd_config.unpacker(workspace, Path(short) / "run", socket, snapshotter)
        )
        running = asyncio.create_task(run(_containerd_command(record, config), timeout_s=UNPACK_S))
        try:
            await _wait_for_socket(socket, running)
            await archives.import_images(record, socket, archive, snapshotter)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    # The final name marks it as complete, so its content must be on disk before the rename.
    await run(["sync", "--file-system", workspace], timeout_s=COPY_S)
    workspace.replace(template)


def _containerd_command(record: Record, config: Path) -> list[str]:
    return [
        *("unshare", "--mount", "--propagation", "slave"),
        *("setpriv", "--pdeathsig", "KILL", record.program("containerd"), "--config", str(config)),
    ]


async def _wait_for_socket(socket: Path, running: asyncio.Task[object]) -> None:
    async def socket_exists() -> bool:
        if running.done():
            running.result()  # it ended with an error, or without: the wait is over
            raise WaitTimeoutError("The containerd that unpacks images ended at once.")
        return socket.is_socket()

    if not await poll_until(socket_exists, ANSWER_S):
        raise WaitTimeoutError(f"The containerd that unpacks images gave no {socket}.")


async def _link(template: Path, target: Path) -> None:
    """Hard-link the template's files, but copy the databases, which containerd modifies."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    await run(["cp", "--archive", "--link", template, part], timeout_s=COPY_S)
    for database in template.glob("*/*.db"):
        copy = part / database.relative_to(template)
        copy.unlink()
        shutil.copy2(database, copy)
    part.replace(target)


async def remove_all() -> bool:
    """Remove all templates; clusters keep their links. Returns whether there were any."""
    if not folder().is_dir():
        return False
    async with _locked():
        existing = sorted(folder().glob("[0-9a-f]*"))
        for path in existing:
            await run(["rm", "-rf", "--one-file-system", path], timeout_s=UNPACK_S)
    return bool(existing)


def _remove_unused() -> None:
    by_use = sorted(folder().glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime)
    for path in by_use[:-MAX_TEMPLATES]:
        shutil.rmtree(path)


@contextlib.asynccontextmanager
async def _locked() -> AsyncIterator[None]:
    with (folder() / ".lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield
