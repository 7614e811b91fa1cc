"""Results of `status` and `status --watch`."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.events import ObjectState
from vrooli.workflows.results.base import Model, Result, VerdictResult
from vrooli.workflows.results.clusters import ClusterView


class OperatorView(Model):
    """One of the three operators."""

    name: str = Field(description="the operator's name")
    namespace: str = Field(description="where its pods run")
    version: str = Field(default="", description="its version, empty when it isn't installed")
    source: str = Field(default="", description="where it came from: vendor or go-module build")
    ready: bool = Field(description="whether it is ready")
    detail: str = Field(default="", description="what it lacks, or empty")


class VaultView(Model):
    """The Vault of development."""

    state: str = Field(description="ready, not ready, absent, or foreign (someone else's)")
    version: str = Field(default="", description="its version, when it answers")
    detail: str = Field(default="", description="what is wrong, or empty")


class ReleaseView(Model):
    """The Helm release."""

    name: str = Field(description="the release's name")
    namespace: str = Field(description="its namespace")
    status: str = Field(description="Helm's status, or absent")
    revision: int = Field(default=0, description="Helm's revision, 0 when absent")
    chart: str = Field(default="", description="the chart and its version")
    end: str = Field(
        default="unknown", description="its deploy's end: ready, failed, unfinished or unknown"
    )


class WorkloadView(Model):
    """One workload of the release."""

    kind: str = Field(description="Deployment, PostgresCluster, …")
    name: str = Field(description="the object's name")
    ready: bool = Field(description="whether it lacks nothing")
    detail: str = Field(default="", description="what it has, or what it lacks")


class StatusResult(VerdictResult):
    """The end of status; `ok` is false when anything of it isn't healthy, or couldn't be seen."""

    environment: str = Field(description="dev, staging or prod")
    cluster: ClusterView = Field(description="the cluster")
    operators: tuple[OperatorView, ...] = Field(default=(), description="the three operators")
    vault: VaultView | None = Field(default=None, description="Vault, if the cluster answers")
    release: ReleaseView | None = Field(default=None, description="the release, if it answers")
    workloads: tuple[WorkloadView, ...] = Field(default=(), description="the release's workloads")
    urls: dict[str, str] = Field(default_factory=dict, description="what a person can open")
    problems: tuple[str, ...] = Field(default=(), description="what isn't healthy, in words")


class HolderView(Model):
    """Who is at work on the release."""

    name: str = Field(description="the user, the host and the process")
    since: datetime = Field(description="when it took the release, UTC")
    renewed: datetime = Field(description="its last sign of life, UTC")
    alive: bool = Field(description="false when it has died without letting go")


class ObjectView(Model):
    """One object of the release."""

    object: str = Field(description="its kind and name")
    state: ObjectState = Field(description="waiting, ready or failed")
    detail: str = Field(description="what it has or lacks, its pods' reasons included")


class WatchResult(Result):
    """The end of `status --watch`; `ok` is false when the release can't become healthy."""

    environment: str = Field(description="dev, staging or prod")
    elapsed_s: float = Field(description="how long it was watched, seconds")
    release: ReleaseView = Field(description="the release")
    holder: HolderView | None = Field(description="who is at work on it, or null")
    objects: tuple[ObjectView, ...] = Field(description="each object, as it was seen last")
    problems: tuple[str, ...] = Field(description="why it can't become healthy, in words")
