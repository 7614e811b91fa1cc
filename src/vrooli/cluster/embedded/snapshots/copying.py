"""Copies the data of a cluster: databases and volumes by content, images as hard links.

Containers use the layers of images through overlayfs, which never writes to them, and containerd
never changes a blob. Only the writable layers of running containers change. They are left out: a
start makes new containers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import holder
from vrooli.process import run

CONTENT = "io.containerd.content.v1.content"
SNAPSHOTTER = "io.containerd.snapshotter.v1."
# Of running containers and of unfinished pulls.
TRANSIENT = ("io.containerd.runtime.v2.task", "tmpmounts")
# A writable layer in /proc/<pid>/mountinfo: of overlayfs, or bound by the native snapshotter.
_LAYER = rf"({re.escape(SNAPSHOTTER)}\w+)/snapshots/(\d+)"
WRITABLE = re.compile(rf"upperdir=[^,]*/{_LAYER}/fs|^\d+ \d+ \S+ \S*/{_LAYER} ")
COPY_S = 900.0
# Arguments of one cp, below the limit of a command line.
BATCH = 500

Layer = tuple[str, str]


def data_folders(root: Path) -> list[Path]:
    """The folders that are copied by content: objects, volumes, pods' own files, and keys."""
    return [root / name for name in ("etcd", "storage", "kubelet", "pki") if (root / name).exists()]


async def size_bytes(paths: Iterable[Path]) -> int:
    """The space that paths take on the disk."""
    existing = [path for path in paths if path.exists()]
    if not existing:
        return 0
    listing = await run(["du", "-s", "-c", "-B1", *existing], timeout_s=COPY_S, check=False)
    return int(listing.output.splitlines()[-1].split()[0])


async def copy(sources: Iterable[Path], target: Path) -> None:
    """Copy files and folders into a folder; the blocks are shared where the disk supports it."""
    command = ["cp", "--archive", "--reflink=auto", f"--target-directory={target}"]
    if existing := [source for source in sources if source.exists()]:
        await run([*command, *existing], timeout_s=COPY_S)


def writable_layers(layout: Layout) -> set[Layer]:
    """The layers that containers of a running cluster write to: snapshotter and number."""
    supervisor = holder(layout.supervisor_lock)
    if supervisor is None:
        return set()
    return parse_writable_layers(Path(f"/proc/{supervisor}/mountinfo").read_text())


def parse_writable_layers(mountinfo: str) -> set[Layer]:
    """The writable layers in the text of /proc/<pid>/mountinfo."""
    matches = (WRITABLE.search(line) for line in mountinfo.splitlines())
    return {(match[1] or match[3], match[2] or match[4]) for match in matches if match}


async def link_images(source: Path, target: Path, writable: set[Layer]) -> None:
    """Hard-link blobs and layers of a containerd folder that the target does not have yet."""
    target.mkdir(mode=0o711, exist_ok=True)
    for folder in _image_folders(source):
        destination = target / folder.relative_to(source)
        destination.mkdir(mode=0o700, parents=True, exist_ok=True)
        plugin = folder.relative_to(source).parts[0]
        missing = [
            entry.path
            for entry in os.scandir(folder)
            if (plugin, entry.name) not in writable and not (destination / entry.name).exists()
        ]
        for start in range(0, len(missing), BATCH):
            command = ["cp", "--archive", "--link", f"--target-directory={destination}"]
            await run([*command, *missing[start : start + BATCH]], timeout_s=COPY_S)
        for plugin_, number in writable:
            if plugin_ == plugin and (folder / number).exists():
                for name in ("fs", "work"):
                    (destination / number / name).mkdir(parents=True, exist_ok=True)


async def copy_databases(source: Path, target: Path) -> None:
    """Copy what containerd changes: its databases, and its records of containers."""
    for folder in source.iterdir():
        destination = target / folder.name
        if folder.name in TRANSIENT:
            destination.mkdir(mode=0o700, exist_ok=True)
        elif folder.name == CONTENT:
            (destination / "ingest").mkdir(mode=0o755, exist_ok=True)
        elif folder.name.startswith(SNAPSHOTTER):
            destination.mkdir(mode=0o700, exist_ok=True)
            await copy([item for item in folder.iterdir() if item.name != "snapshots"], destination)
        else:
            await copy([folder], target)


def _image_folders(source: Path) -> Iterator[Path]:
    """The folders whose entries can be linked."""
    yield from sorted(source.glob(f"{CONTENT}/blobs/*"))
    yield from sorted(source.glob(f"{SNAPSHOTTER}*/snapshots"))
