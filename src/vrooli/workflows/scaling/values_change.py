"""Change values of a release that runs: its chart and its other values stay as Helm recorded them.

The new values are stored as overrides, so that the next deploy keeps them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vrooli.chart import values as chart_values
from vrooli.chart.values import Values
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener, LogLine, Progress, StepEnded
from vrooli.kube.objects import dig, mapping
from vrooli.release import overrides
from vrooli.release.model import DEPLOYED, Release
from vrooli.release.overrides import Overrides
from vrooli.release.records import source, storage
from vrooli.release.records.source import RecordedSource
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.change_view import format_change, view
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.deploys.change import ReleaseChange
from vrooli.workflows.options import READY_S
from vrooli.workflows.safeguards.consent import Action, Consent


@dataclass(frozen=True)
class ValuesOptions:
    """The options of a change of values.

    Attributes:
        environment: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        timeout_s: How long the release may take to become ready, seconds.
        rollback: Go back by itself when the release can't become ready.
        preserve_added: Keep the fields that people added to the release's objects by hand.
        discard_overrides: Whether all overrides are removed; never here.
    """

    environment: Environment
    cluster: str | None = None
    timeout_s: float = READY_S
    rollback: bool = True
    preserve_added: bool = True
    discard_overrides: bool = False


@dataclass(frozen=True)
class Edit:
    """New values of a release.

    Attributes:
        command: The command that changes them, as people type it.
        set_: The new values by path.
        reset: The paths whose overrides are removed.
    """

    command: str
    set_: Mapping[str, Any] = field(default_factory=dict)
    reset: Collection[str] = ()


@dataclass(frozen=True)
class Deployed:
    """A release as it is deployed.

    Attributes:
        reached: The cluster.
        release: The release.
        record: Helm's newest record of it.
        source: Its chart and values.
        overrides: Its overrides.
        folder: The folder with its chart.
    """

    reached: Access
    release: Release
    record: ReleaseRecord
    source: RecordedSource
    overrides: Overrides
    folder: Path

    @property
    def values(self) -> Values:
        """Its values, with those of the chart and its overrides."""
        values = chart_values.merge(mapping(self.source.chart, "values"), self.source.values)
        return self.overrides.merge_into(values)


@asynccontextmanager
async def deployed(options: ValuesOptions) -> AsyncIterator[Deployed]:
    """Connect to the cluster and read a release.

    Raises:
        PrerequisiteError: The cluster doesn't run, or the release isn't deployed.
    """
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        record = await storage.fetch_record(reached.kube, release)
        if record is None or record.revision.status != DEPLOYED:
            state = "does not exist" if record is None else f"is {record.revision.status}"
            raise PrerequisiteError(
                f"Release {release} {state}.",
                "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
            )
        recorded = await source.fetch(reached.kube, release, record.revision)
        stored = await overrides.fetch(reached.kube, release)
        with tempfile.TemporaryDirectory(prefix="vrooli-chart-") as folder:
            await asyncio.to_thread(recorded.write, Path(folder))
            yield Deployed(reached, release, record, recorded, stored, Path(folder))


class ValuesChange(ReleaseChange):
    """The steps of one change of values and the data that they share."""

    options: ValuesOptions
    advice = "Fix the reported error, and run the same command again."
    to_before = True

    def __init__(self, options: ValuesOptions, state: Deployed, edit: Edit, summary: str) -> None:
        self.reached, self.overrides, self.edit = state.reached, state.overrides, edit
        self.read, self.reapplied = state.record, _reapplied(state, edit)
        self.replaced, self.summary = state.source.values, summary
        self.origin = state.record.metadata.origin
        self.description = edit.command
        super().__init__(options, state.folder, _edited(state, edit))

    @property
    def change(self) -> str:
        """The change to confirm, in words; empty if there is nothing to do."""
        if not self.changes and not self.is_new:
            return ""
        again = f"; sets again: {', '.join(self.reapplied)}" if self.reapplied else ""
        return self.summary + again

    @property
    def is_new(self) -> bool:
        """Whether the overrides change."""
        current = {item.path: item.value for item in self.overrides.entries}
        is_reset = any(path in current for path in self.edit.reset)
        return is_reset or {**current, **self.edit.set_} != current

    def read_steps(self) -> list[Step]:
        """The steps that only read."""
        return [
            Step("checks", "Cluster", self.check),
            Step("changes", "What changes", self.compare),
        ]

    async def check_again(self) -> None:
        """Check again under the lock: another deploy may have ended since its values were read.

        Raises:
            PrerequisiteError: It has, or the overrides have changed.
        """
        if not await storage.is_newest(self.kube, self.release, self.read):
            raise self.outdated_error()
        await super().check_again()

    async def apply(self, progress: Progress) -> Done:
        """Store the overrides first: if this is killed, the next deploy continues it."""
        if self.is_new:
            await overrides.remove(self.kube, self.release, self.edit.reset)
            await overrides.set_values(
                self.kube, self.release, self.edit.set_, self.edit.command, self.replaced
            )
        done = await super().apply(progress)
        return Done(done.changed or self.is_new, done.detail)

    async def undo(self) -> None:
        """Restore the overrides of before."""
        await overrides.replace(self.kube, self.release, self.overrides.entries)


def _edited(state: Deployed, edit: Edit) -> Values:
    """The recorded values with the overrides and the edit."""
    values = state.overrides.merge_into(state.source.values)
    for path in edit.reset:
        item = state.overrides.get(path)
        if item is not None:
            values = _replaced(values, path.split("."), item.replaces)
    return chart_values.merge(values, overrides.nested(edit.set_))


def _reapplied(state: Deployed, edit: Edit) -> list[str]:
    """The other overrides that the release lacks, for example after a rollback."""
    values = chart_values.merge(mapping(state.source.chart, "values"), state.source.values)
    return [
        f"{item.path} = {item.value}"
        for item in state.overrides.without({*edit.set_, *edit.reset}).entries
        if value_at(values, item.path) != item.value
    ]


def _replaced(values: Mapping[str, Any], keys: list[str], value: Any) -> Values:
    """Values with another value at a path; None removes it."""
    (key, *rest), copy = keys, dict(values)
    if rest:
        copy[key] = _replaced(mapping(copy, key), rest, value)
    elif value is None:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy


async def carry_out(
    run: ValuesChange, action: Action, listener: Listener, consent: Consent
) -> list[StepEnded]:
    """Check, confirm, apply and follow a change of values.

    Raises:
        NotDeployableError: The cluster lacks what it needs; nothing was changed.
        InterruptError: The user declined, or it was cancelled after Helm had started.
        DeployFailedError: The release did not become ready.
    """
    ended = await run_steps(run.read_steps(), listener)
    for change in run.changes:
        for line in format_change(view(change)):
            listener(LogLine("change", line))
    if run.change:
        run.confirmed = consent.demand(action, run.options.environment.name, run.change)
    return ended + await run.act(listener, consent)


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as ``replicaCount.server``; None if there is none."""
    return dig(values, *path.split("."))
