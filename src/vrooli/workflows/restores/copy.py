"""Restore a release's PostgreSQL to a moment or a point, beside the live data."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from vrooli.backups import clones, contents, copies, listing, outages, space
from vrooli.backups.clones import Place
from vrooli.backups.contents import Contents
from vrooli.backups.listing import Listing
from vrooli.backups.outages import Outage
from vrooli.backups.targets import Recovery
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import Environment
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener, Progress
from vrooli.kube import Kube
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.restores import steps
from vrooli.workflows.results.backups import RestoreResult
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent

# How long the restore of the data may take, seconds.
RESTORE_S = 3600.0
# Names that PGO can extend: `<name>-pgbackrest-restore` is a name of a Job and a label.
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class RestoreOptions:
    """The options of restore.

    Attributes:
        environment: The environment of the release.
        to: The moment, as ``--to`` takes it; empty with a point.
        point: The ID of a point or the label of a backup; empty with a moment.
        into: Namespace and name of the copy, NAMESPACE or NAMESPACE/NAME.
        cluster: As ``--cluster`` takes it; None picks one.
        repository: The number of the repository; None takes the first that has the moment.
        timeout_s: How long it may take, seconds.
    """

    environment: Environment
    to: str = ""
    point: str = ""
    into: str = ""
    cluster: str | None = None
    repository: int | None = None
    timeout_s: float = RESTORE_S

    def __post_init__(self) -> None:
        steps.demand_one_target(self.to, self.point)


@api_outages.explained("run the same command again: it replaces the copy.")
async def restore(
    options: RestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> RestoreResult:
    """Restore a copy of PostgreSQL, and compare it with the live data.

    Raises:
        UsageError: The moment or the point can't be restored, or the confirmation is missing.
        PrerequisiteError: There is no room, a deploy runs, or the repository is not ready.
        VrooliError: The restore failed; its copy was removed, the live data was not changed.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        run = await RestoreRun.prepared(options, reached.kube, release)
        consent.demand(Action.RESTORE_COPY, options.environment.name, run.change)
        async with lease.hold(reached.kube, release, Progress("wal", listener)):
            ended = await run_steps(run.steps(), listener)
    done = StepsResult.of(ended, time.monotonic() - began)
    return RestoreResult(
        **dict(done),
        release=release.name,
        namespace=run.place.namespace,
        cluster=run.place.name,
        moment=None if run.recovery.is_latest else run.recovery.moment,
        point=run.recovery.point.id if run.recovery.point else None,
        tables=steps.table_views(run.restored, run.live),
        differences=run.differences(),
    )


@dataclass
class RestoreRun:
    """The steps of one restore and the data that they share."""

    options: RestoreOptions
    kube: Kube
    release: Release
    listed: Listing
    recovery: Recovery
    place: Place
    exists: bool
    outage: Outage | None = None
    restored: Contents = field(default_factory=Contents)
    live: Contents = field(default_factory=Contents)
    unread: list[str] = field(default_factory=list)

    @classmethod
    async def prepared(cls, options: RestoreOptions, kube: Kube, release: Release) -> RestoreRun:
        """Check everything that a restore needs; nothing is changed."""
        listed = await listing.fetch(kube, release)
        outage = await outages.find(listed.repository.postgres)
        recovery = await steps.fetch_recovery(
            listed,
            options.to,
            options.point,
            options.repository,
            outage=outage,
            # No WAL of this PostgreSQL is needed, which cannot be archived there.
            foreign=bool(options.point),
        )
        place = parse_place(options.into, release)
        exists = await copies.find(kube, place) is not None
        await space.check(listed.repository.postgres, recovery.backup)
        return cls(options, kube, release, listed, recovery, place, exists, outage)

    @property
    def change(self) -> str:
        """The change to confirm, in words."""
        verb = "replace the copy" if self.exists else "restore a copy to"
        return f"{verb} {self.place} with PostgreSQL of {self.release} at {self.recovery}"

    def steps(self) -> list[Step]:
        """The steps."""
        return [
            Step("wal", "WAL", self.archive),
            Step("copy", "Restored copy", self.build, ("wal",)),
            Step("compare", "Comparison", self.compare, ("copy",)),
        ]

    async def archive(self, progress: Progress) -> Done:
        """Archive the WAL that the recovery needs."""
        postgres = self.listed.repository.postgres
        return await steps.archive(postgres, self.recovery, progress, self.outage)

    async def build(self, progress: Progress) -> Done:
        """Build the copy; a failed one is removed, so that it does not block the next."""
        source = self.listed.repository.postgres.body
        await copies.remove(self.kube, self.place, progress)
        await copies.isolate(self.kube, self.place, source)
        body = clones.independent(source, self.place, self.recovery)
        try:
            async with copies.readable_repository(self.kube, source, self.place):
                copy = await copies.build(self.kube, body, progress, self.options.timeout_s)
        except VrooliError as error:
            try:
                await copies.remove(self.kube, self.place, progress)
            except VrooliError as other:
                error.advice = f"{error.advice} The copy remains: {other.message}".lstrip()
            raise
        self.restored = await self._read("copy", copy)
        return Done(changed=True, detail=f"{self.place} at {self.recovery}")

    async def compare(self, progress: Progress) -> Done:
        """Compare the copy with the live data."""
        progress.report("counts rows")
        self.live = await self._read("live data", self.listed.repository.postgres)
        if self.unread:
            return Done(changed=False, detail="; ".join(self.unread))
        differing = len(contents.differences(self.restored, self.live))
        detail = steps.format_comparison(self.restored, differing)
        return Done(changed=False, detail=detail)

    async def _read(self, what: str, postgres: Postgres) -> Contents:
        """The contents; a copy of unknown contents is kept, since its data is restored."""
        try:
            return await contents.fetch(postgres)
        except VrooliError as error:
            self.unread.append(f"the {what} could not be compared: {error.message}")
            return Contents()

    def differences(self) -> tuple[str, ...]:
        """What differs between the copy and the live data, or why it is unknown."""
        found = self.unread or contents.differences(self.restored, self.live)
        if self.outage is None or self.recovery.is_named:
            return tuple(found)
        return (outages.NOT_ARCHIVED, *found)


def parse_place(text: str, release: Release) -> Place:
    """Where a copy goes: NAMESPACE or NAMESPACE/NAME.

    Raises:
        UsageError: It is not of that form.
    """
    namespace, slash, name = text.partition("/")
    place = Place(name if slash else f"{release.name}-copy", namespace)
    if not _LABEL.fullmatch(place.namespace) or not _LABEL.fullmatch(place.name):
        raise UsageError(
            f"{text!r} is no place for a copy.",
            "Use --into NAMESPACE or NAMESPACE/NAME: up to 40 lower-case letters, digits and "
            "hyphens.",
        )
    if place.namespace == release.namespace:
        raise UsageError(
            f"Namespace {release.namespace} is that of the release.",
            "Use --into with another namespace.",
        )
    return place
