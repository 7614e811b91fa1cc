"""Embedded clusters: the public class for workflows and the command line."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.components import kubeconfigs
from vrooli.cluster.embedded.components.catalog import STOP_ORDER
from vrooli.cluster.embedded.host import autostart, freezer
from vrooli.cluster.embedded.host.suspension import Pause
from vrooli.cluster.embedded.images import archives
from vrooli.cluster.embedded.layout import Layout, stored_clusters
from vrooli.cluster.embedded.lifecycle import kill, pause, start, stop
from vrooli.cluster.embedded.locks import holder, locked
from vrooli.cluster.embedded.settings import AddonImages, Record, Settings
from vrooli.cluster.embedded.snapshots import store
from vrooli.cluster.embedded.snapshots.operations import Snapshots
from vrooli.cluster.embedded.supervisor import logs
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.cluster.interface import ClusterStatus
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.steps import Done

KIND = "embedded"
LOGS = ("supervisor", *STOP_ORDER)


class StoredCluster:
    """The operations on a cluster that need only its name, whether it runs or not."""

    def __init__(self, name: str, *, state_dir: Path) -> None:
        self._layout = Layout.of(state_dir, name)

    @property
    def name(self) -> str:
        """Its name."""
        return self._layout.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return KIND

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for clients; 0600."""
        return self._layout.kubeconfig

    def programs(self) -> frozenset[Path]:
        """The programs of its last start, which it runs or will run again; none if damaged."""
        try:
            record = Record.read(self._layout.record)
        except UsageError:
            return frozenset()
        return frozenset(map(Path, record.programs.values())) if record else frozenset()

    def urls(self) -> dict[str, str]:
        """Its URLs on 127.0.0.1, by name.

        Raises:
            PrerequisiteError: The cluster does not exist.
        """
        ports = self._record().ports
        schemes = {"api": "https", "http": "http", "https": "https"}
        return {name: f"{schemes[name]}://127.0.0.1:{port}" for name, port in ports.items()}

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load the missing images of an OCI archive.

        Raises:
            PrerequisiteError: The cluster is not running.
            UsageError: The file is not an OCI archive.
            VrooliError: containerd has other images under their names.
        """
        record = self._record()
        if holder(self._layout.supervisor_lock) is None:
            raise PrerequisiteError(
                f"The cluster {self.name} is not running.", "Start it: `vrooli cluster start`."
            )
        if freezer.is_frozen(self._layout.identity):
            raise PrerequisiteError(
                f"The cluster {self.name} is paused.", f"Resume it: `vrooli resume {self.name}`."
            )
        progress.report(f"Loading the images of {archive.name}")
        loaded = await archives.load(self._layout, record, archive)
        return Done(bool(loaded), f"{counted(len(loaded), 'image')} loaded")

    async def name_images_by_digest(self, archive: Path) -> None:
        """Let pods name the loaded images of an archive by their digests, too.

        Raises:
            UsageError: The file is not an OCI archive.
            VrooliError: containerd has other images under their names.
        """
        await archives.name_by_digest(self._layout, self._record(), archive)

    async def images(self) -> frozenset[str]:
        """The images in its containerd; none if it is not running, or paused."""
        record = Record.read(self._layout.record)
        is_running = holder(self._layout.supervisor_lock) is not None
        if record is None or not is_running or freezer.is_frozen(self._layout.identity):
            return frozenset()
        return await archives.names(self._layout, record)

    async def image_digests(self, names: Collection[str]) -> Mapping[str, str]:
        """The digests of these images in its containerd, by name; none if it is not running."""
        record = Record.read(self._layout.record)
        if record is None or holder(self._layout.supervisor_lock) is None:
            return {}
        return await archives.fetch_digests(self._layout, record, names)

    async def status(self) -> ClusterStatus:
        """Its status; nothing is changed."""
        layout = self._layout
        try:
            record, report = Record.read(layout.record), Report.read(layout.status)
        except UsageError:
            return ClusterStatus(self.name, KIND, "damaged")
        if record is None:
            return ClusterStatus(self.name, KIND, "absent")
        if report is None or holder(layout.supervisor_lock) is None:
            return ClusterStatus(self.name, KIND, "stopped")
        components = tuple(report.components.values())
        if freezer.is_frozen(layout.identity):
            paused = Pause.read(layout.pause)
            since = paused.describe() if paused else ""
            return ClusterStatus(self.name, KIND, "paused", components=components, detail=since)
        version = await Api(layout, record).read("/version")
        state = "running" if report.ready() and version else "degraded"
        last = report.suspension
        detail = last.describe() if last is not None and last.is_recent(time.time()) else ""
        number = version.get("gitVersion", "")
        return ClusterStatus(self.name, KIND, state, number, components, detail)

    async def stop(self, progress: Progress) -> Done:
        """Stop it; its data are kept."""
        with locked(self._layout):
            return await stop.stop(self._layout, progress)

    async def pause(self, progress: Progress) -> Done:
        """Freeze all its processes, until it is resumed, stopped or deleted.

        Raises:
            PrerequisiteError: It is not running, or the host has no freezer.
            VrooliError: A process did not freeze.
        """
        with locked(self._layout):
            return await pause.pause(self._layout, progress)

    async def resume(self, progress: Progress) -> Done:
        """Let its processes continue, and wait until it is ready again.

        Raises:
            PrerequisiteError: It is not running.
            WaitTimeoutError: It did not become ready.
        """
        with locked(self._layout):
            return await pause.resume(self._layout, self._record(), progress)

    async def delete(self, progress: Progress) -> Done:
        """Stop it, and remove everything that it created on this host, and its snapshots."""
        with locked(self._layout):
            await store.remove_all(self._layout)
            return await stop.delete(self._layout, progress)

    def kill_component(self, name: str) -> int:
        """Kill the process of a component, which the supervisor starts again; returns its id.

        Raises:
            PrerequisiteError: It is not running.
        """
        return kill.kill_component(self._layout, name)

    def kill_in_pod(self, pod_uid: str, program: str) -> int:
        """Kill the processes of a program in the containers of a pod; returns how many."""
        return kill.kill_in_pod(self._layout, pod_uid, program)

    @property
    def snapshots(self) -> Snapshots:
        """Its snapshots."""
        return Snapshots(self._layout)

    async def logs(
        self, component: str, *, tail: int = 100, follow: bool = False
    ) -> AsyncIterator[str]:
        """The last lines of a component's log, and with ``follow`` all further ones, without end.

        Raises:
            UsageError: There is no such component.
            PrerequisiteError: The cluster does not exist.
        """
        if component not in LOGS:
            raise UsageError(
                f"There is no component {component!r}.", f"Choose one of: {', '.join(LOGS)}."
            )
        self._record()
        log = self._layout.log(component)
        for line in logs.tail(log, tail):
            yield line
        if follow:
            async for line in logs.follow(log):
                yield line

    async def start_with_host(self, *, enable: bool) -> bool:
        """Enable or disable its start with the host; returns whether that changed anything.

        Raises:
            PrerequisiteError: The cluster does not exist, systemd does not run here, or the user
                is not root.
        """
        if not enable:
            return await autostart.disable(self._layout)
        self._record()
        return await autostart.enable(self._layout)

    def autostart_unit(self) -> Path | None:
        """The systemd unit that starts it with the host, if enabled."""
        return autostart.unit(self._layout) if autostart.is_enabled(self._layout) else None

    def merge_kubeconfig(self, target: Path) -> str:
        """Add the cluster to a kubeconfig, such as ~/.kube/config; returns the context's name.

        Raises:
            PrerequisiteError: The cluster does not exist.
            UsageError: The target is not a kubeconfig.
        """
        self._record()
        return kubeconfigs.merge(self.kubeconfig, target)

    def _record(self) -> Record:
        record = Record.read(self._layout.record)
        if record is None:
            raise PrerequisiteError(
                f"There is no cluster {self.name}.", "Start it: `vrooli cluster start`."
            )
        return record


class EmbeddedCluster(StoredCluster):
    """A Kubernetes cluster on this host; implements vrooli.cluster.interface.Cluster."""

    def __init__(
        self,
        name: str,
        *,
        state_dir: Path,
        programs: Mapping[str, Path],
        images: AddonImages,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(name, state_dir=state_dir)
        self._programs = programs
        self._images = images
        self._settings = settings or Settings()

    async def ensure_running(self, progress: Progress) -> Done:
        """Start it and wait until its add-ons are ready; changes nothing if they are.

        Raises:
            PrerequisiteError: The host cannot run it, or another run is changing it.
            WaitTimeoutError: A component or an add-on did not become ready.
        """
        with locked(self._layout):
            return await start.ensure_running(
                self._layout, self._settings, self._programs, self._images, progress
            )


def list_clusters(state_dir: Path) -> list[StoredCluster]:
    """The names of all clusters with data in the state folder."""
    return [StoredCluster(name, state_dir=state_dir) for name in stored_clusters(state_dir)]
