"""The protocol of all kinds of clusters, for the workflows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
        state: running, starting, stopped, failed, or off if the host does not support it.
        pid: Its process id, if it is a process of this host.
        restarts: The number of its restarts since the cluster's start.
        detail: Why it is not running, or empty.
    """

    name: str
    state: str
    pid: int | None = None
    restarts: int = 0
    detail: str = ""


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster's state: running, degraded, paused, stopped, absent, or damaged (delete it).

    Attributes:
        detail: What may impair a running cluster, such as a suspension of its machine, or empty.
    """

    name: str
    kind: str
    state: str
    version: str = ""
    components: tuple[ComponentStatus, ...] = ()
    detail: str = ""


class Cluster(Protocol):
    """A Kubernetes cluster that a release can be deployed to."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """The kind: embedded, minikube, kind or context."""

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for clients; 0600."""

    async def ensure_running(self, progress: Progress) -> Done:
        """Start it and wait until it is ready for pods; changes nothing if it is."""

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load all images of an OCI archive."""

    async def images(self) -> frozenset[str]:
        """The images on its nodes, if its container runtime is accessible; else none.

        The API lists only some of the images, and only some names of each.
        """

    async def image_digests(self, names: Collection[str]) -> Mapping[str, str]:
        """The digests of these images on its nodes, by name; of those that it can list."""

    def urls(self) -> dict[str, str]:
        """Its URLs on 127.0.0.1, by name (http, https, api)."""

    async def status(self) -> ClusterStatus:
        """Its status; nothing is changed."""
