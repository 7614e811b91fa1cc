"""The embedded cluster, as the workflows see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from vrooli.cluster.embedded import archives, lifecycle
from vrooli.cluster.embedded.locks import locked
from vrooli.cluster.embedded.settings import AddonImages, Layout, Record, Settings
from vrooli.cluster.interface import ClusterStatus
from vrooli.errors import EnvironmentLackError
from vrooli.events import Progress
from vrooli.steps import Done


class EmbeddedCluster:
    """A Kubernetes of our own on this host. Satisfies vrooli.cluster.interface.Cluster."""

    def __init__(
        self,
        name: str,
        *,
        state_dir: Path,
        programs: Mapping[str, Path],
        images: AddonImages,
        settings: Settings | None = None,
    ) -> None:
        self._layout = Layout.of(state_dir, name)
        self._programs = programs
        self._images = images
        self._settings = settings or Settings()

    @property
    def name(self) -> str:
        """Its name."""
        return self._layout.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return "embedded"

    @property
    def kubeconfig(self) -> Path:
        """The file that clients use; 0600."""
        return self._layout.kubeconfig

    async def ensure_running(self, progress: Progress) -> Done:
        """Make it run, with its add-ons ready; changes nothing when it does.

        Raises:
            EnvironmentLackError: The host can't run it, or another run is changing it.
            WaitTimeoutError: A part of it did not become ready.
        """
        with locked(self._layout):
            return await lifecycle.ensure_running(
                self._layout, self._settings, self._programs, self._images, progress
            )

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load the images of an OCI archive that aren't there yet.

        Raises:
            EnvironmentLackError: The cluster doesn't run.
            UsageError: The file is no OCI archive.
        """
        record = self._record()
        progress.say(f"Loading the images of {archive.name}")
        loaded = await archives.load(self._layout, record, archive)
        return Done(bool(loaded), f"{len(loaded)} images loaded")

    def urls(self) -> dict[str, str]:
        """What a person can open on 127.0.0.1."""
        ports = self._record().ports
        schemes = {"api": "https", "http": "http", "https": "https"}
        return {name: f"{schemes[name]}://127.0.0.1:{port}" for name, port in ports.items()}

    async def status(self) -> ClusterStatus:
        """How it is, without changing anything."""
        return await asyncio.to_thread(lifecycle.status, self._layout)

    async def stop(self, progress: Progress) -> Done:
        """End it; its data stay."""
        with locked(self._layout):
            return await lifecycle.stop(self._layout, progress)

    async def delete(self, progress: Progress) -> Done:
        """End it, and remove everything that it ever made on this host."""
        with locked(self._layout):
            return await lifecycle.delete(self._layout, progress)

    def _record(self) -> Record:
        record = Record.read(self._layout.record)
        if record is None:
            raise EnvironmentLackError(
                f"There is no cluster {self.name}.", "Start it: `vrooli cluster start`."
            )
        return record
