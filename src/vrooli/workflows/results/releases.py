"""Results of the commands that change, compare or list releases."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.workflows.results.base import Model, Result, StepsResult


class DevelopResult(StepsResult):
    """The end of develop: a healthy release, and where to look."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    cluster: str = Field(description="the cluster it runs on, as `--cluster` takes it")
    kubeconfig: str = Field(description="the cluster's own kubeconfig file")
    urls: dict[str, str] = Field(description="what a person can open, by name")


class FieldView(Model):
    """One field that a deploy changes; secrets are masked."""

    path: str = Field(description="where it is in the object")
    before: str | None = Field(description="what it is, or null")
    after: str | None = Field(description="what it becomes, or null")
    manager: str = Field(
        default="", description="who wrote it by hand, as metadata.managedFields has it, or empty"
    )
    since: datetime | None = Field(default=None, description="when that was, UTC, or null")


class ChangeView(Model):
    """One object that differs."""

    object: str = Field(description="its kind and name")
    act: str = Field(description="add, change or remove")
    fields: tuple[FieldView, ...] = Field(description="what changes in it")


class DeployResult(StepsResult):
    """The end of deploy: a healthy release of an artifact's version."""

    version: str = Field(description="the artifact's version")
    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    cluster: str = Field(description="the cluster it runs on, as `--cluster` takes it")
    revision: int = Field(description="the release's newest revision")
    changes: tuple[ChangeView, ...] = Field(description="what differed before")


class RevisionView(Model):
    """One revision of a release."""

    number: int = Field(description="1 for the first")
    status: str = Field(description="Helm's word: deployed, superseded, failed, …")
    chart: str = Field(description="the chart and its version")
    time: datetime = Field(description="when Helm began with it, UTC")
    description: str = Field(description="what happened: Helm's words, or why it wasn't ready")
    end: str = Field(default="unknown", description="ready, failed, unfinished or unknown")
    origin: str = Field(default="unknown", description="artifact, source or unknown")
    version: str | None = Field(default=None, description="the version, or null where unknown")
    source: str | None = Field(
        default=None, description="the Git commit, `-modified` if files were changed, or null"
    )
    by: str | None = Field(default=None, description="who made it, or null where unknown")
    place: str | None = Field(
        default=None, description="the host, or the run of a pipeline, or null where unknown"
    )


class HistoryResult(Result):
    """The end of history: the revisions that Helm still knows, the oldest first."""

    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    revisions: tuple[RevisionView, ...] = Field(description="the revisions")


class RollbackResult(StepsResult):
    """The end of rollback: a healthy release of what an earlier revision had."""

    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    to: int = Field(description="the revision that it went back to")
    revision: int = Field(description="the release's newest revision")
    changes: tuple[ChangeView, ...] = Field(default=(), description="what differed before")


class DiffResult(Result):
    """The end of diff; `ok` is false when anything differs."""

    release: str = Field(description="the Helm release's name")
    against: str = Field(description="what it was compared with: the cluster, or an artifact")
    changes: tuple[ChangeView, ...] = Field(description="what differs")
