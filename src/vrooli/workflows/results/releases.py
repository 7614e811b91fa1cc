"""Results of the commands that change, compare or list releases."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.workflows.results.base import Model, Result, StepsResult


class OverrideView(Model):
    """A value of a release that a command has stored in the cluster."""

    path: str = Field(description="the path of the value, such as replicaCount.server")
    value: str = Field(description="the value, as JSON")
    command: str = Field(description="the command that set the value")
    set_by: str = Field(description="the user who ran the command")
    set_from: str = Field(description="the host or the pipeline run")
    set_at: datetime = Field(description="when the value was set, UTC")


class DevelopResult(StepsResult):
    """The result of develop."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    cluster: str = Field(description="the cluster, in the form of `--cluster`")
    kubeconfig: str = Field(description="the kubeconfig file of the cluster")
    urls: dict[str, str] = Field(description="the URLs of the release, by name")
    hosts: tuple[str, ...] = Field(
        default=(), description="the hosts of the URLs that must resolve to this machine"
    )
    overrides: tuple[OverrideView, ...] = Field(
        default=(), description="the overrides that were merged into the values"
    )


class HostServiceView(Model):
    """A service that ran on this host."""

    name: str = Field(description="the component")
    url: str = Field(description="its address on this host")
    debugger: str = Field(description="the address of its debugger, or empty")


class DevResult(DevelopResult):
    """The result of `dev`."""

    services: tuple[HostServiceView, ...] = Field(description="the services that ran on this host")


class FieldView(Model):
    """A changed field; secrets are redacted."""

    path: str = Field(description="the path of the field in the object")
    before: str | None = Field(description="the value before the change, or null")
    after: str | None = Field(description="the value after the change, or null")
    manager: str = Field(
        default="", description="the field manager that changed the field manually, or empty"
    )
    changed_at: datetime | None = Field(
        default=None, description="when the field was changed manually, UTC, or null"
    )


class ChangeView(Model):
    """A changed object."""

    object: str = Field(description="the kind and name of the object")
    action: str = Field(description="add, change or remove")
    fields: tuple[FieldView, ...] = Field(description="the changed fields")


class DeployResult(StepsResult):
    """The result of deploy."""

    version: str = Field(description="the version of the artifact")
    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    cluster: str = Field(description="the cluster, in the form of `--cluster`")
    revision: int = Field(description="the latest revision of the release")
    changes: tuple[ChangeView, ...] = Field(description="the changes that were applied")
    overrides: tuple[OverrideView, ...] = Field(
        default=(), description="the overrides that were merged into the values"
    )


class RevisionView(Model):
    """A revision of a release."""

    number: int = Field(description="the number of the revision; the first is 1")
    status: str = Field(description="the status that Helm reports: deployed, superseded, failed, …")
    chart: str = Field(description="the name and version of the chart")
    time: datetime = Field(description="when the deploy started, UTC")
    description: str = Field(
        description="the description that Helm reports, or why the release was not ready"
    )
    outcome: str = Field(
        default="unknown",
        description="the outcome of the deploy: ready, failed, unfinished or unknown",
    )
    origin: str = Field(
        default="unknown", description="what was deployed: artifact, source or unknown"
    )
    version: str | None = Field(
        default=None, description="the version of the services, or null if unknown"
    )
    commit: str | None = Field(
        default=None,
        description="the Git commit, with the suffix `-modified` if files were changed, or null",
    )
    deployed_by: str | None = Field(
        default=None, description="the user who deployed the revision, or null if unknown"
    )
    deployed_from: str | None = Field(
        default=None, description="the host or the pipeline run, or null if unknown"
    )


class HistoryResult(Result):
    """The result of history."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    revisions: tuple[RevisionView, ...] = Field(
        description="the revisions that Helm has saved, oldest first"
    )


class RollbackResult(StepsResult):
    """The result of rollback."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    to_revision: int = Field(description="the revision whose objects were restored")
    revision: int = Field(description="the latest revision of the release")
    changes: tuple[ChangeView, ...] = Field(default=(), description="the changes that were applied")


class ScaleResult(StepsResult):
    """The result of scale."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    component: str = Field(description="the name of the component")
    before: int = Field(description="the number of pods before, or the minimum of its autoscaler")
    after: int = Field(description="the number of pods now, or the minimum of its autoscaler")
    autoscaled: bool = Field(description="whether an autoscaler sets the number of pods")
    revision: int = Field(description="the latest revision of the release")
    changes: tuple[ChangeView, ...] = Field(description="the changes that were applied")
    overrides: tuple[OverrideView, ...] = Field(description="the overrides of the release")


class GrowResult(StepsResult):
    """The result of grow."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    data: str = Field(description="postgres, redis or backups")
    before: str = Field(description="the size of each volume before")
    after: str = Field(description="the size of each volume now")
    replaced: bool = Field(description="whether new volumes replaced the old ones")
    pause_s: float = Field(description="how long writes paused, in seconds")
    revision: int = Field(description="the latest revision of the release")
    changes: tuple[ChangeView, ...] = Field(description="the changes that were applied")
    overrides: tuple[OverrideView, ...] = Field(description="the overrides of the release")


class DiffResult(Result):
    """The result of diff; `ok` is false if something differs."""

    release: str = Field(description="the name of the Helm release")
    compared_to: str = Field(description="what the cluster was compared to")
    changes: tuple[ChangeView, ...] = Field(description="the differences")
    overrides: tuple[OverrideView, ...] = Field(
        default=(), description="the overrides of the release"
    )
