"""The snapshots of a cluster on disk: ``snapshots/<cluster>/<snapshot>/`` in the state folder."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from vrooli.cluster.embedded.layout import NAME, Layout
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.files import write_atomically
from vrooli.process import run
from vrooli.trust import create_trusted

RECORD = "snapshot.json"
# Folders of work that has not ended. A command that was killed leaves them; the next removes them.
PART, NEW, FORMER = ".part", ".new", ".former"
# Space that must stay free: the kubelet evicts pods if less than half of it is free.
RESERVE_BYTES = 1024**3
REMOVE_S = 600.0


@dataclass(frozen=True)
class Snapshot:
    """A snapshot.

    Attributes:
        name: Its name.
        cluster: The cluster's name.
        created: When it was made, seconds since the epoch.
        size_bytes: The size of its own files; images are shared with the cluster.
        frozen_s: How long the cluster was frozen, seconds; 0 if it did not run.
    """

    name: str
    cluster: str
    created: float
    size_bytes: int
    frozen_s: float

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.created, UTC)


def folder(layout: Layout) -> Path:
    """The folder of a cluster's snapshots; outside its own folder, which a restore replaces."""
    return layout.root.parent.parent / "snapshots" / layout.name


def create_folder(layout: Layout) -> Path:
    """Create the folder of a cluster's snapshots, for root only, and remove what is unfinished.

    Raises:
        PrerequisiteError: It is on another disk than the cluster.
    """
    place = folder(layout)
    create_trusted(place, 0o700)
    if place.stat().st_dev != layout.root.parent.stat().st_dev:
        raise PrerequisiteError(
            f"{place} is on another disk than {layout.root}.",
            "Snapshots share images with the cluster, which requires the same file system.",
        )
    return place


def list_snapshots(layout: Layout) -> list[Snapshot]:
    """The complete snapshots of a cluster, oldest first."""
    snapshots = []
    for record in folder(layout).glob(f"*/{RECORD}"):
        if not record.parent.name.startswith("."):
            snapshots.append(Snapshot(**json.loads(record.read_text())))
    return sorted(snapshots, key=lambda snapshot: snapshot.created)


def find(layout: Layout, name: str) -> Snapshot:
    """The snapshot of a name.

    Raises:
        UsageError: There is none.
    """
    snapshots = {snapshot.name: snapshot for snapshot in list_snapshots(layout)}
    if name not in snapshots:
        existing = f"There are: {', '.join(snapshots)}." if snapshots else "It has none."
        raise UsageError(f"The cluster {layout.name} has no snapshot {name!r}.", existing)
    return snapshots[name]


def require_new_name(layout: Layout, name: str) -> None:
    """Require a valid name that no snapshot has.

    Raises:
        UsageError: It is invalid, or a snapshot has it.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't be a snapshot's name.",
            "Use at most 31 lower-case letters, digits and dashes.",
        )
    if (folder(layout) / name).exists():
        raise UsageError(
            f"The cluster {layout.name} already has a snapshot {name!r}.",
            f"Use another name, or delete it: `vrooli cluster delete-snapshot {name} "
            f"--name {layout.name}`.",
        )


def write(place: Path, snapshot: Snapshot) -> None:
    """Write the record of a snapshot."""
    write_atomically(place / RECORD, json.dumps(asdict(snapshot), indent=2) + "\n")


def require_space(place: Path, needed_bytes: int, purpose: str) -> None:
    """Require free space on a disk.

    Raises:
        PrerequisiteError: There is not enough; the message has the numbers of bytes.
    """
    free = shutil.disk_usage(place).free
    if free < needed_bytes + RESERVE_BYTES:
        raise PrerequisiteError(
            f"{purpose} needs {needed_bytes:,} bytes and leaves {RESERVE_BYTES:,} free, but the "
            f"disk of {place} has only {free:,} bytes free.",
            "Free some space: `vrooli cluster snapshots` lists the snapshots, `vrooli cache` the "
            "caches.",
        )


async def remove_all(layout: Layout) -> None:
    """Remove all snapshots of a cluster."""
    place = folder(layout)
    await remove(place)
    with contextlib.suppress(OSError):  # other clusters have snapshots, or none ever had
        place.parent.rmdir()


async def remove(path: Path) -> None:
    """Remove a folder with many files."""
    await run(["rm", "-rf", "--one-file-system", path], timeout_s=REMOVE_S)
