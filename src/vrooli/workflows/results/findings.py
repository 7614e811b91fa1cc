"""Findings, and the results of `check` and `diagnose`."""

from __future__ import annotations

from pydantic import Field

from vrooli.findings import Finding
from vrooli.workflows.results.base import Model, PackagesView, StepResult, VerdictResult


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
    """The result of diagnose; `ok` is false if problems were found or required data is missing."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    causes: tuple[CauseView, ...] = Field(description="the root causes, the worst first")
    unavailable: tuple[UnavailableView, ...] = Field(
        description="everything that could not be read, required or not"
    )
    rule_count: int = Field(description="the number of rules that were evaluated")
    elapsed_s: float = Field(description="the duration, in seconds")
    bundle: str | None = Field(default=None, description="the path of the bundle, or null")


class CheckView(Model):
    """A completed check."""

    name: str = Field(description="the stable name of the check")
    title: str = Field(description="the title of the check, for people")
    examines: str = Field(description="what the check examines")
    state: str = Field(description="ok, failed, not needed or unknown")
    message: str = Field(
        description="what the check read, or why it was skipped or could not read its data"
    )
    findings: tuple[FindingView, ...] = Field(default=(), description="the problems")
    elapsed_s: float = Field(description="the duration, in seconds")


class CheckResult(VerdictResult):
    """The result of check; `ok` is false if problems were found or required data is missing."""

    environment: str = Field(description="dev, staging or prod")
    cluster: str = Field(description="the cluster, in the form of `--cluster`")
    namespace: str = Field(description="the namespace of the release")
    checks: tuple[CheckView, ...] = Field(description="the checks")
    fixes: tuple[StepResult, ...] = Field(default=(), description="the steps that --fix ran")
    fixable: tuple[str, ...] = Field(default=(), description="the fixes that --fix can apply")
    elapsed_s: float = Field(description="the duration of the checks, in seconds")
    packages: PackagesView | None = Field(
        default=None,
        description="security updates and known vulnerabilities, or null if not looked up",
    )
