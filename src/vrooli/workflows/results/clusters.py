"""Results of the `cluster` commands."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, Result


class ComponentView(Model):
    """One component of a cluster."""

    name: str = Field(description="kube-apiserver, containerd, …")
    state: str = Field(description="running, starting, stopped, failed or off")
    pid: int | None = Field(default=None, description="its process id on this host, if any")
    restarts: int = Field(default=0, description="restarts since the cluster's start")
    detail: str = Field(default="", description="why it isn't running, or empty")


class ClusterView(Model):
    """A cluster's state."""

    name: str = Field(description="its name")
    kind: str = Field(description="embedded, minikube, kind or context")
    state: str = Field(description="running, degraded, stopped, damaged or absent")
    version: str = Field(default="", description="the Kubernetes version, when it answers")
    components: tuple[ComponentView, ...] = Field(default=(), description="its components")
    urls: dict[str, str] = Field(default_factory=dict, description="what answers on 127.0.0.1")


class ClusterResult(Result):
    """The end of `cluster start`, `stop`, `delete` and `status`."""

    changed: bool = Field(description="whether anything was changed")
    detail: str = Field(default="", description="what was done")
    cluster: ClusterView = Field(description="the cluster afterwards")


class ClusterListResult(Result):
    """The end of `cluster list`."""

    clusters: tuple[ClusterView, ...] = Field(description="every embedded cluster of this user")


class KubeconfigResult(Result):
    """The end of `cluster kubeconfig`."""

    path: str = Field(description="the cluster's own kubeconfig file")
    merged_into: str | None = Field(
        default=None, description="the kubeconfig that got its context, with --merge"
    )
    context: str | None = Field(default=None, description="the context's name there")


class AutostartResult(Result):
    """The end of `cluster autostart`."""

    changed: bool = Field(description="whether anything was changed")
    name: str = Field(description="the cluster's name")
    available: bool = Field(description="whether systemd runs this host, which it takes")
    enabled: bool = Field(description="whether the cluster is started with the host")
    unit: str | None = Field(default=None, description="the systemd unit that starts it, if any")
