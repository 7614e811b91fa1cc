"""What every kind of cluster offers to the workflows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vrooli.events import Progress
from vrooli.steps import Done


@dataclass(frozen=True)
class ComponentStatus:
    """One component of a cluster.

    Attributes:
        name: kube-apiserver, containerd, …
        state: running, starting, stopped, failed, or off where the host lacks what it needs.
        pid: Its process id, when it is a process of this host.
        restarts: How often it was restarted since the cluster's start.
        detail: Why it isn't running, or empty.
    """

    name: str
    state: str
    pid: int | None = None
    restarts: int = 0
    detail: str = ""


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster's state: running, degraded, stopped, absent, or damaged (delete it)."""

    name: str
    kind: str
    state: str
    version: str = ""
    components: tuple[ComponentStatus, ...] = ()


class Cluster(Protocol):
    """A Kubernetes cluster that a release can be put on."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """The kind: embedded, minikube, kind or context."""

    @property
    def kubeconfig(self) -> Path:
        """The file that clients use; 0600."""

    async def ensure_running(self, progress: Progress) -> Done:
        """Make it run and be ready for pods; changes nothing when it is."""

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load the images of an OCI archive, which may hold many."""

    async def images(self) -> frozenset[str]:
        """The images that its nodes have, where the runtime itself can be asked; else none.

        The API tells of no more than some images, and of no more than some names of each.
        """

    def urls(self) -> dict[str, str]:
        """What a person can open on 127.0.0.1, by name (http, https, api)."""

    async def status(self) -> ClusterStatus:
        """How it is, without changing anything."""
