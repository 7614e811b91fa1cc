"""Results of the `cluster` commands."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.workflows.results.base import Model, Result


class ComponentView(Model):
    """A component of a cluster."""

    name: str = Field(description="the name of the component: kube-apiserver, containerd, …")
    state: str = Field(description="running, starting, stopped, failed or off")
    pid: int | None = Field(default=None, description="the process ID on this host, or null")
    restarts: int = Field(
        default=0, description="the number of restarts since the cluster was started"
    )
    detail: str = Field(default="", description="why the component is not running, or empty")


class ClusterView(Model):
    """The state of a cluster."""

    name: str = Field(description="the name of the cluster")
    kind: str = Field(description="embedded, minikube, kind or context")
    state: str = Field(description="running, degraded, paused, stopped, damaged or absent")
    version: str = Field(
        default="",
        description="the Kubernetes version, or empty if the API server does not respond",
    )
    components: tuple[ComponentView, ...] = Field(default=(), description="the components")
    detail: str = Field(
        default="",
        description="what may impair a running cluster, such as a suspension of its machine in the "
        "last five minutes, or empty",
    )
    urls: dict[str, str] = Field(default={}, description="the URLs on 127.0.0.1, by name")


class ClusterResult(Result):
    """The result of `cluster start`, `stop`, `delete` and `status`, `pause` and `resume`."""

    changed: bool = Field(description="whether anything changed")
    detail: str = Field(default="", description="what changed, or empty")
    cluster: ClusterView = Field(description="the cluster after the command")


class SnapshotView(Model):
    """A snapshot of a cluster."""

    name: str = Field(description="the name of the snapshot")
    cluster: str = Field(description="the name of the cluster")
    created: datetime = Field(description="the moment that the snapshot contains, UTC")
    size_bytes: int = Field(
        description="the size of its own files, in bytes; images are shared with the cluster"
    )
    frozen_s: float = Field(
        description="how long the cluster was frozen for the copy, in seconds; 0 if it did not run"
    )


class SnapshotResult(Result):
    """The result of `cluster snapshot`."""

    elapsed_s: float = Field(description="the duration of the command, in seconds")
    snapshot: SnapshotView = Field(description="the snapshot")


class SnapshotListResult(Result):
    """The result of `cluster snapshots` and `cluster delete-snapshot`."""

    changed: bool = Field(default=False, description="whether a snapshot was deleted")
    cluster: str = Field(description="the name of the cluster")
    snapshots: tuple[SnapshotView, ...] = Field(description="its snapshots, oldest first")
    free_bytes: int = Field(description="the free space of their disk, in bytes")


class ClusterListResult(Result):
    """The result of `cluster list`."""

    clusters: tuple[ClusterView, ...] = Field(description="the embedded clusters of this user")


class KubeconfigResult(Result):
    """The result of `cluster kubeconfig`."""

    path: str = Field(description="the kubeconfig file of the cluster")
    merged_into: str | None = Field(
        default=None,
        description="with --merge, the kubeconfig that the context was added to, or null",
    )
    context: str | None = Field(default=None, description="the name of the context there, or null")


class AutostartResult(Result):
    """The result of `cluster autostart`."""

    changed: bool = Field(description="whether anything changed")
    name: str = Field(description="the name of the cluster")
    available: bool = Field(description="whether this host runs systemd, which autostart requires")
    enabled: bool = Field(description="whether the cluster starts when the host boots")
    unit: str | None = Field(
        default=None, description="the systemd unit that starts the cluster, or null"
    )
