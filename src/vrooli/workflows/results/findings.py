"""Findings, and the results of `check` and `diagnose`."""

from __future__ import annotations

from pydantic import Field

from vrooli.findings import Finding
from vrooli.workflows.results.base import Model, StepResult, VerdictResult


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
    state: str = Field(description="ok, failed, not needed or unknown")
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
