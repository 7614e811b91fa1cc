"""Results of `status` and `status --watch`."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.events import ObjectState
from vrooli.workflows.results.base import Model, PackagesView, Result, VerdictResult
from vrooli.workflows.results.clusters import ClusterView
from vrooli.workflows.results.releases import OverrideView


class OperatorView(Model):
    """The state of an operator."""

    name: str = Field(description="the name of the operator")
    namespace: str = Field(description="the namespace of its pods")
    version: str = Field(
        default="", description="the version, or empty if the operator is not installed"
    )
    source: str = Field(
        default="", description="the source of the images: vendor or go-module, or empty"
    )
    ready: bool = Field(description="whether the operator is ready")
    detail: str = Field(default="", description="why the operator is not ready, or empty")
    notes: tuple[str, ...] = Field(
        default=(),
        description="what is known about the version: archived, not supported, or not known",
    )


class VaultView(Model):
    """The state of the Vault server of the dev environment."""

    state: str = Field(description="ready, not ready, absent, or foreign: not installed by vrooli")
    version: str = Field(default="", description="the version, or empty if Vault does not respond")
    detail: str = Field(default="", description="why Vault is not ready, or empty")


class EditedView(Model):
    """Pods of a release that run edited files, or whose services run on a host."""

    workloads: tuple[str, ...] = Field(description="the names of their workloads")
    watched_by: str = Field(
        description="the user, host and process that updates the files or runs the services"
    )
    on_host: bool = Field(
        default=False,
        description="whether the pods pass their requests on to services on that host",
    )
    abandoned: bool = Field(
        description="whether that process of this machine has ended without restoring the images"
    )


class ReleaseView(Model):
    """The state of a Helm release."""

    name: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    status: str = Field(description="the status that Helm reports, or absent")
    revision: int = Field(
        default=0, description="the latest revision, or 0 if the release is absent"
    )
    chart: str = Field(default="", description="the name and version of the chart")
    outcome: str = Field(
        default="unknown",
        description="the outcome of the latest deploy: ready, failed, unfinished or unknown",
    )
    overrides: tuple[OverrideView, ...] = Field(
        default=(), description="the values that commands such as `vrooli scale` have set"
    )
    edited: EditedView | None = Field(
        default=None, description="the pods that run edited files, or null if there are none"
    )


class WorkloadView(Model):
    """The state of a workload of the release."""

    kind: str = Field(description="the kind of the object: Deployment, PostgresCluster, …")
    name: str = Field(description="the name of the object")
    ready: bool = Field(description="whether the workload is ready")
    detail: str = Field(default="", description="the state of the workload, or why it is not ready")


class StatusResult(VerdictResult):
    """The result of status; `ok` is false if something is not healthy or could not be read."""

    environment: str = Field(description="dev, staging or prod")
    cluster: ClusterView = Field(description="the cluster")
    operators: tuple[OperatorView, ...] = Field(default=(), description="the operators")
    vault: VaultView | None = Field(
        default=None, description="Vault, or null if its state could not be read"
    )
    release: ReleaseView | None = Field(
        default=None, description="the release, or null if its state could not be read"
    )
    workloads: tuple[WorkloadView, ...] = Field(
        default=(), description="the workloads of the release"
    )
    urls: dict[str, str] = Field(default={}, description="the URLs of the release, by name")
    problems: tuple[str, ...] = Field(default=(), description="the problems, one message each")
    packages: PackagesView | None = Field(
        default=None,
        description="security updates and known vulnerabilities, or null if not looked up",
    )


class LockView(Model):
    """The lock of a release."""

    holder: str = Field(description="the user, host and process that hold the lock")
    acquired_at: datetime = Field(description="when the lock was acquired, UTC")
    renewed_at: datetime = Field(description="when the lock was last renewed, UTC")
    expired: bool = Field(description="whether the lock was not renewed in time")


class ObjectView(Model):
    """The state of an object of the release."""

    object: str = Field(description="the kind and name of the object")
    state: ObjectState = Field(description="waiting, ready or failed")
    detail: str = Field(description="the state of the object and the reasons of its pods")


class WatchResult(Result):
    """The result of `status --watch`; `ok` is false if the release cannot become healthy."""

    environment: str = Field(description="dev, staging or prod")
    elapsed_s: float = Field(description="the duration of the watch, in seconds")
    release: ReleaseView = Field(description="the release")
    lock: LockView | None = Field(description="the lock of the release, or null")
    objects: tuple[ObjectView, ...] = Field(description="the last state of each object")
    problems: tuple[str, ...] = Field(
        description="why the release cannot become healthy, one message each"
    )
