"""Embedded clusters for tests: state, names and ports of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import AddonImages, Settings
from vrooli.events import Progress

ANY_PORTS = {"api": 0, "http": 0, "https": 0}
QUIET = Progress()


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
