"""The base models of all results. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Outcome, StepEnded
from vrooli.findings import Verdict


class Model(BaseModel):
    """The base of all output models: immutable, and without fields that are not declared."""

    # defer_build: a command has one result, so the validators of all others are not built.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_serialization_defaults_required=True,
    )


class Result(Model):
    """The result of a command.

    Subclasses add the fields of their command.
    """

    ok: bool = Field(default=True, description="false if problems were found (exit code 1)")

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return 0 if self.ok else VrooliError.exit_code


class MissingView(Model):
    """A resource that is required to call a release healthy and that could not be read."""

    resource: str = Field(description="the resource")
    reason: str = Field(description="why it could not be read: permission denied, a timeout, …")
    advice: str = Field(default="", description="how to make it readable, or empty")


class PackagesView(Model):
    """Security updates and known vulnerabilities of packages; they do not change the verdict."""

    looked_up_at: datetime = Field(description="when they were looked up, UTC")
    updates: tuple[str, ...] = Field(
        description="the packages of images on this machine that have a security update"
    )
    vulnerabilities: tuple[str, ...] = Field(
        description="the known vulnerabilities of the packages that the repository pins"
    )
    unchecked: tuple[str, ...] = Field(description="what could not be looked up, and why")


class VerdictResult(Result):
    """The result of a command that reports the health of something.

    Subclasses add the examined resources.
    """

    ok: bool = Field(
        default=True,
        description="true only if all required data was read and no problems were found",
    )
    verdict: Verdict = Field(
        default=Verdict.HEALTHY,
        description="healthy (exit code 0), problems (exit code 1), or unknown: no problems were "
        "found, but not all required data could be read (exit code 3)",
    )
    missing: tuple[MissingView, ...] = Field(
        default=(), description="required data that could not be read"
    )

    @property
    def exit_code(self) -> int:
        """The exit code of the command; an unknown verdict is a missing prerequisite."""
        if self.verdict is Verdict.UNKNOWN:
            return PrerequisiteError.exit_code
        return super().exit_code


class StepResult(Model):
    """A completed step of a workflow."""

    step: str = Field(description="the stable name of the step")
    title: str = Field(description="the title of the step, for people")
    outcome: Outcome = Field(description="unchanged, changed, failed or cancelled")
    elapsed_s: float = Field(description="the duration of the step, in seconds")
    detail: str = Field(description="what the step did, or why it failed")

    @classmethod
    def of(cls, ended: StepEnded) -> StepResult:
        """Build the model from an event."""
        return cls(
            step=ended.step,
            title=ended.title,
            outcome=ended.outcome,
            elapsed_s=round(ended.elapsed_s, 3),
            detail=ended.detail,
        )


class StepsResult(Result):
    """The result of a command that runs steps, such as setup and uninstall."""

    changed: bool = Field(description="whether any step changed anything")
    elapsed_s: float = Field(description="the duration of the command, in seconds")
    steps: tuple[StepResult, ...] = Field(description="the steps, in the order of completion")

    @classmethod
    def of(cls, ended: Iterable[StepEnded], elapsed_s: float) -> StepsResult:
        """Build the result of a workflow from its steps."""
        steps = tuple(StepResult.of(step) for step in ended)
        changed = any(step.outcome is Outcome.CHANGED for step in steps)
        return StepsResult(changed=changed, elapsed_s=round(elapsed_s, 3), steps=steps)
