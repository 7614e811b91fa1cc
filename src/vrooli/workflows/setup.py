"""Prepare a machine: its packages, the third-party programs and the images."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from vrooli.environments import SecretsSource
from vrooli.events import Listener, Outcome, StepEnded
from vrooli.steps import run_steps
from vrooli.workflows.machine import Machine, all_programs
from vrooli.workflows.results import StepResult, StepsResult

__all__ = ["SetupOptions", "all_programs", "setup", "steps_result"]


@dataclass(frozen=True)
class SetupOptions:
    """What setup is asked for.

    Attributes:
        target: The target to prepare, too; None prepares this machine alone.
        cluster: The target's cluster, as ``--cluster`` takes it; None picks one.
        secrets_source: Whether the target gets Vault.
    """

    target: str | None = None
    cluster: str | None = None
    secrets_source: SecretsSource = SecretsSource.VAULT


async def setup(options: SetupOptions, listener: Listener) -> StepsResult:
    """Prepare this machine and, if one is named, a target.

    Raises:
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    ended = await run_steps(Machine().steps(), listener)
    return steps_result(ended, time.monotonic() - began)


def steps_result(ended: Iterable[StepEnded], elapsed_s: float) -> StepsResult:
    """The result of a workflow that is nothing but its steps."""
    steps = tuple(StepResult.of(step) for step in ended)
    changed = any(step.outcome is Outcome.CHANGED for step in steps)
    return StepsResult(changed=changed, elapsed_s=round(elapsed_s, 3), steps=steps)
