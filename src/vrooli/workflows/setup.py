"""Prepare a machine: its packages, the third-party programs and the images."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from vrooli import programs
from vrooli.environments import SecretsSource
from vrooli.events import Listener, Outcome, Progress, StepEnded
from vrooli.programs.catalog import GROUPS
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import host
from vrooli.workflows.results import StepResult, StepsResult

# Wanted by the tests alone, which ask for it themselves.
NOT_NEEDED_TO_RUN = frozenset({"helm"})


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


def all_programs() -> tuple[str, ...]:
    """Every program that the cluster, the operators and their images are made of."""
    return tuple(
        name for group in GROUPS if group.name not in NOT_NEEDED_TO_RUN for name in group.packages
    )


async def ensure_programs(progress: Progress) -> Done:
    """Have every third-party program in the cache."""
    names = all_programs()
    made = programs.missing(names)
    await programs.ensure(names, progress)
    if made:
        return Done(changed=True, detail=f"made {', '.join(made)}")
    return Done(changed=False, detail=f"all {len(names)} are in the cache")


def machine_steps() -> list[Step]:
    """What prepares this machine for an embedded cluster; develop begins with the same."""
    return [
        Step("packages", "Host packages", host.ensure_packages),
        Step("programs", "Third-party programs", ensure_programs),
    ]


async def setup(options: SetupOptions, listener: Listener) -> StepsResult:
    """Prepare this machine and, if one is named, a target.

    Raises:
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    ended = await run_steps(machine_steps(), listener)
    return steps_result(ended, time.monotonic() - began)


def steps_result(ended: Iterable[StepEnded], elapsed_s: float) -> StepsResult:
    """The result of a workflow that is nothing but its steps."""
    steps = tuple(StepResult.of(step) for step in ended)
    changed = any(step.outcome is Outcome.CHANGED for step in steps)
    return StepsResult(changed=changed, elapsed_s=round(elapsed_s, 3), steps=steps)
