"""What the workflows give back: documented, stable models, the same for people and machines.

``docs/interface.md`` is written from them, and a test compares the two. Fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import ObjectState, Outcome, StepEnded
from vrooli.findings import Finding, Verdict


class Model(BaseModel):
    """The base of everything that goes out: unchangeable, and nothing beyond its fields."""

    # A command has one result: the validators of all others needn't be built.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Result(Model):
    """The end of a command.

    Subclasses add what the command found or did.
    """

    ok: bool = Field(default=True, description="False when something was found wrong (exit 1)")

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return 0 if self.ok else VrooliError.exit_code


class MissingView(Model):
    """A resource that is required to call a release healthy and that could not be read."""

    resource: str = Field(description="the resource")
    reason: str = Field(description="why it could not be read: permission denied, a timeout, …")
    advice: str = Field(default="", description="how to make it readable, or empty")


class VerdictResult(Result):
    """The end of a command that says how something is.

    Subclasses add what was looked at.
    """

    ok: bool = Field(
        default=True,
        description="true only when all that is needed was seen and nothing is wrong",
    )
    verdict: Verdict = Field(
        default=Verdict.HEALTHY,
        description="healthy (exit 0), problems (exit 1), or unknown: nothing was found wrong, and "
        "not all that is needed was seen (exit 3)",
    )
    missing: tuple[MissingView, ...] = Field(
        default=(), description="what is needed to say healthy, and could not be seen"
    )

    @property
    def exit_code(self) -> int:
        """What the command ends with; who can't see lacks something."""
        if self.verdict is Verdict.UNKNOWN:
            return PrerequisiteError.exit_code
        return super().exit_code


class StepResult(Model):
    """One step of a workflow, as it ended."""

    step: str = Field(description="the step's short, stable name")
    title: str = Field(description="what a person reads")
    outcome: Outcome = Field(description="unchanged, changed, failed or cancelled")
    elapsed_s: float = Field(description="how long it worked, seconds")
    detail: str = Field(description="what it found or did")

    @classmethod
    def of(cls, ended: StepEnded) -> StepResult:
        """The model of an event."""
        return cls(
            step=ended.step,
            title=ended.title,
            outcome=ended.outcome,
            elapsed_s=round(ended.elapsed_s, 3),
            detail=ended.detail,
        )


class StepsResult(Result):
    """The end of a command that works in steps: setup, uninstall."""

    changed: bool = Field(description="whether any step changed anything")
    elapsed_s: float = Field(description="how long all of it took, seconds")
    steps: tuple[StepResult, ...] = Field(description="the steps, in the order they ended")

    @classmethod
    def of(cls, ended: Iterable[StepEnded], elapsed_s: float) -> StepsResult:
        """The result of a workflow that is nothing but its steps."""
        steps = tuple(StepResult.of(step) for step in ended)
        changed = any(step.outcome is Outcome.CHANGED for step in steps)
        return StepsResult(changed=changed, elapsed_s=round(elapsed_s, 3), steps=steps)


class DevelopResult(StepsResult):
    """The end of develop: a healthy release, and where to look."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    cluster: str = Field(description="the cluster it runs on, as `--cluster` takes it")
    kubeconfig: str = Field(description="the cluster's own kubeconfig file")
    urls: dict[str, str] = Field(description="what a person can open, by name")


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


class CaseView(Model):
    """One test, or one program of a suite."""

    name: str = Field(description="the test's name")
    passed: bool = Field(description="whether it passed")
    elapsed_s: float = Field(description="how long it ran, seconds")
    log: str = Field(default="", description="what a failed test printed")


class SuitesResult(Result):
    """The end of test."""

    suites: tuple[str, ...] = Field(description="the suites that ran")
    cases: tuple[CaseView, ...] = Field(description="the tests of the release, or the programs")


class BuildResult(StepsResult):
    """The end of build: an artifact, and where it is."""

    version: str = Field(description="the services' version")
    path: str = Field(description="the artifact's folder")
    package: str = Field(description="the chart's package in it")
    environments: tuple[str, ...] = Field(description="the environments whose values are in it")
    revision: str | None = Field(description="the Git commit it was made from, or null")
    modified: bool = Field(description="whether files were changed since that commit")
    pushed: str | None = Field(default=None, description="the pushed chart with its digest, if any")
    pushed_images: dict[str, str] = Field(
        default_factory=dict, description="the digest of each pushed image, by its name"
    )


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


class DifferenceView(Model):
    """A file of an artifact that isn't as its record says."""

    path: str = Field(description="the file, below the artifact")
    kind: str = Field(description="changed, missing or added")


class VerifyResult(Result):
    """The end of `artifact verify`; `ok` is false when any file differs."""

    path: str = Field(description="the artifact's folder")
    version: str = Field(description="the services' version")
    chart: str = Field(description="the chart and its version")
    revision: str | None = Field(description="the Git commit it was made from, or null")
    files: int = Field(description="how many files its record names")
    differences: tuple[DifferenceView, ...] = Field(description="what differs; none when whole")


class FindingView(Model):
    """A problem of one resource."""

    rule_id: str = Field(description="the rule or check, short and stable")
    resource: str = Field(description="the resource that has the problem, by kind and name")
    message: str = Field(description="the problem, in words")
    remediation: str = Field(description="how to fix it, in words, or empty")
    command: str = Field(description="the command that fixes it, or empty")
    link: str = Field(description="the address of further documentation, or empty")
    evidence: tuple[str, ...] = Field(description="lines that show it, with secrets redacted")

    @classmethod
    def of(cls, finding: Finding) -> FindingView:
        """The model of a finding."""
        return cls(**vars(finding))


class CauseView(Model):
    """A root cause."""

    finding: FindingView = Field(description="the problem")
    consequences: tuple[FindingView, ...] = Field(
        description="the other findings that follow from it, the nearest first"
    )


class UnavailableView(Model):
    """A resource that could not be read."""

    resource: str = Field(description="the resource")
    reason: str = Field(description="why it could not be read: permission denied, a timeout, …")


class DiagnoseResult(VerdictResult):
    """The end of diagnose; `ok` is false when anything was found, or too little was seen."""

    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    causes: tuple[CauseView, ...] = Field(description="the root causes, the worst first")
    unavailable: tuple[UnavailableView, ...] = Field(
        description="everything that could not be read, required or not"
    )
    rules: int = Field(description="how many rules looked")
    elapsed_s: float = Field(description="how long it took, seconds")
    bundle: str | None = Field(
        default=None, description="the archive of all of it, if one was made"
    )


class CheckView(Model):
    """One check."""

    name: str = Field(description="its short, stable name")
    title: str = Field(description="what a person reads")
    looks_at: str = Field(description="what it looks at")
    state: str = Field(description="ok, failed, not needed, or could not be seen")
    found: str = Field(description="what is there, or why it isn't needed or could not be seen")
    findings: tuple[FindingView, ...] = Field(default=(), description="what is wrong")
    elapsed_s: float = Field(description="how long it took, seconds")


class CheckResult(VerdictResult):
    """The end of check; `ok` is false when anything was found wrong, or too little was seen."""

    environment: str = Field(description="dev, staging or prod")
    cluster: str = Field(description="the cluster, as `--cluster` takes it")
    namespace: str = Field(description="where the release goes")
    checks: tuple[CheckView, ...] = Field(description="the checks, each with what it found")
    fixed: tuple[StepResult, ...] = Field(default=(), description="what --fix did before")
    fixable: tuple[str, ...] = Field(default=(), description="what --fix would still do")
    elapsed_s: float = Field(description="how long the checks took, seconds")


class ReasonView(Model):
    """A field that supports an arrow."""

    object: str = Field(description="what holds it: an object's kind and name, or a file")
    field: str = Field(description="its path there; may be empty")
    value: str = Field(description="what stands there, without secrets; may be empty")


class NodeView(Model):
    """A box of a diagram."""

    id: str = Field(description="short and stable: UI, Server, PGPrimary, …")
    title: tuple[str, ...] = Field(description="what stands in it, line by line")
    group: str = Field(description="the frame that it is in")


class ArrowView(Model):
    """An arrow of a diagram."""

    source: str = Field(description="the box that it leaves")
    target: str = Field(description="the box that it leads to")
    label: str = Field(description="what stands beside it; may be empty")
    dashed: bool = Field(description="whether it is drawn dashed")
    reasons: tuple[ReasonView, ...] = Field(description="what supports it")
    state: str | None = Field(
        default=None, description="active, idle, broken or unknown; null when not looked at"
    )
    why: str = Field(default="", description="what was seen, in words")


class DiagramView(Model):
    """One of the four diagrams."""

    name: str = Field(description="architecture, connectivity, secrets or delivery")
    title: str = Field(description="its heading")
    nodes: tuple[NodeView, ...] = Field(description="its boxes")
    arrows: tuple[ArrowView, ...] = Field(description="its arrows")


class GraphResult(VerdictResult):
    """The end of graph; `ok` is false when an arrow is broken, or could not be looked at."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    live: bool = Field(description="whether the cluster was looked at")
    source: str = Field(description="where the arrows come from: values, or the release as noted")
    diagrams: tuple[DiagramView, ...] = Field(description="the diagrams")
    problems: tuple[str, ...] = Field(default=(), description="what couldn't be seen, in words")
    text: str = Field(default="", description="the picture, in the format that was asked for")
