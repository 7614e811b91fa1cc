"""The base models of all results. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Outcome, StepEnded
from vrooli.findings import Verdict


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
