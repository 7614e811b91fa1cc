"""Embedded clusters for tests: state, names and ports of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support.cluster.live import CLUSTER
from vrooli import project
from vrooli.cluster.embedded.cluster import EmbeddedCluster, StoredCluster, list_clusters
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import AddonImages, Settings
from vrooli.events import Progress

ANY_PORTS = {"api": 0, "http": 0, "https": 0}
QUIET = Progress()
# Where the clusters of the embedded cluster's own suite are; the processes of a run share it.
STATE_DIR = "VROOLI_TEST_STATE_DIR"
# In that folder while the run has the cluster of the live release.
LIVE_NOTE = "live"


@dataclass(frozen=True)
class Maker:
    """Makes clusters that know their programs and images."""

    state_dir: Path
    programs: dict[str, Path]
    archive: Path

    def cluster(self, name: str, ports: dict[str, int] | None = None) -> EmbeddedCluster:
        """The cluster of that name, running or not."""
        return EmbeddedCluster(
            name,
            state_dir=self.state_dir,
            programs=self.programs,
            images=AddonImages(self.archive),
            settings=Settings(ports=ports or ANY_PORTS, durable=False),
        )

    def layout(self, name: str) -> Layout:
        """Its place."""
        return Layout.of(self.state_dir, name)


def begin_run() -> None:
    """Make the folder of a run's clusters: a short path, since Unix sockets are below it."""
    os.environ[STATE_DIR] = tempfile.mkdtemp(prefix="vrooli-t")


def end_run() -> None:
    """Delete what is left of a run's clusters, as after an interrupt."""
    state_dir = Path(os.environ.pop(STATE_DIR))
    asyncio.run(delete_all(state_dir))
    if (state_dir / LIVE_NOTE).exists():
        asyncio.run(StoredCluster(CLUSTER, state_dir=project.state_dir()).delete(QUIET))
    shutil.rmtree(state_dir)


async def delete_all(state_dir: Path) -> None:
    """Delete all clusters in a folder."""
    for cluster in list_clusters(state_dir):
        await cluster.delete(QUIET)


def note_live(*, is_there: bool) -> None:
    """Note whether this run has the live release's cluster."""
    note = Path(os.environ[STATE_DIR]) / LIVE_NOTE
    if is_there:
        note.touch()
    else:
        note.unlink()


def is_live_kept() -> bool:
    """Whether the cluster of the live release stays for the next run."""
    return bool(os.environ.get("VROOLI_KEEP_TEST_CLUSTER"))
