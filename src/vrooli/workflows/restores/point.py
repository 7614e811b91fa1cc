"""Restore all of a point: PostgreSQL, then Redis, then the secrets in Vault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from vrooli import shell
from vrooli.backups import listing, targets
from vrooli.backups.points import Point
from vrooli.databases.redis.session import Redis
from vrooli.environments import Environment
from vrooli.errors import InterruptError, UsageError, VrooliError
from vrooli.events import Listener, LogLine
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.workflows import advice
from vrooli.workflows.clusters import access
from vrooli.workflows.restores import vault
from vrooli.workflows.restores.postgres import PostgresRestoreOptions, restore_postgres
from vrooli.workflows.restores.redis import RedisRestoreOptions, restore_redis
from vrooli.workflows.restores.vault import VaultRestoreOptions
from vrooli.workflows.results.backups import (
    PointRestoreResult,
    PostgresRestoreResult,
    RedisRestoreResult,
    VaultRestoreResult,
)
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

# The parts that follow PostgreSQL, as ``--only`` takes them, and their names for users.
TITLES = {"redis": "Redis", "vault": "Secrets in Vault"}


@dataclass(frozen=True)
class PointRestoreOptions:
    """The options of a restore of all of a point.

    Attributes:
        environment: The environment of the release.
        point: The ID of the point.
        cluster: As ``--cluster`` takes it; None picks one.
        timeout_s: How long each part may take, seconds.
    """

    environment: Environment
    point: str
    cluster: str | None = None
    timeout_s: float = 3600.0

    @property
    def _vault(self) -> VaultRestoreOptions:
        return VaultRestoreOptions(
            self.environment, self.point, cluster=self.cluster, timeout_s=self.timeout_s
        )

    def command(self, part: str) -> str:
        """The command that restores one part of the point."""
        where = advice.same_release(self.environment, self.cluster)
        return f"vrooli restore --point {shell.segment(self.point)} --only {part} {where}"


async def restore_point(
    options: PointRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> PointRestoreResult:
    """Restore the parts of a point one after the other; each shows its changes and asks.

    What can be checked of all parts is checked before the first one changes.

    Raises:
        UsageError: There is no such point, or the confirmation is missing.
        PrerequisiteError: A part cannot be restored now.
        InterruptError: A part was declined or interrupted.
        VrooliError: A part failed; the message names those that were restored before.
    """
    began = time.monotonic()
    release, point = await _checked(options)
    notes = tuple(_notes(point))
    for note in notes:
        listener(LogLine("point", note))
    run = _Run(options, point, listener, consent)
    await run.restore()
    done = [part for part in (run.postgres, run.redis, run.vault) if part is not None]
    steps = tuple(step for part in done for step in part.steps)
    changed = any(part.changed for part in done)
    assert run.postgres is not None  # noqa: S101 - every point has it
    return PointRestoreResult(
        steps=steps,
        changed=changed,
        elapsed_s=time.monotonic() - began,
        release=release.name,
        namespace=release.namespace,
        point=point.id,
        postgres=run.postgres,
        redis=run.redis,
        vault=run.vault,
        notes=notes,
    )


async def _checked(options: PointRestoreOptions) -> tuple[Release, Point]:
    """The release and the point, after the checks of what it has for Redis and Vault."""
    async with access.connect(options.cluster) as reached:
        kube = reached.kube
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(kube, release)
        point = targets.at_point(await listing.fetch(kube, release), options.point).point
        if point is None:
            raise UsageError(
                f"{options.point} is a backup of PostgreSQL only.",
                "Restore it without --all; `vrooli backups` shows which ones are points.",
            )
        if point.redis is not None:
            await (await Redis.of(kube, release)).master()
        if point.vault:
            await vault.prepare(options._vault, kube, release)
    return release, point


def _notes(point: Point) -> Iterable[str]:
    """What the point does not have, which stays as it is."""
    if point.redis is None:
        yield "the point has no dump of Redis, whose data stay as they are"
    if not point.vault:
        yield "the point has no versions of secrets in Vault, which stay as they are"


@dataclass
class _Run:
    """The parts that are restored so far."""

    options: PointRestoreOptions
    point: Point
    listener: Listener
    consent: Consent
    postgres: PostgresRestoreResult | None = None
    redis: RedisRestoreResult | None = None
    vault: VaultRestoreResult | None = None

    @property
    def remaining(self) -> list[str]:
        """The parts of the point that are not restored yet, as ``--only`` takes them."""
        is_left = {
            "redis": self.point.redis is not None and self.redis is None,
            "vault": bool(self.point.vault) and self.vault is None,
        }
        return [part for part in is_left if is_left[part]]

    async def restore(self) -> None:
        """Restore each part that the point has."""
        options, where = self.options, (self.options.environment, self.options.point)
        request = PostgresRestoreOptions(
            where[0], point=where[1], cluster=options.cluster, timeout_s=options.timeout_s
        )
        self.postgres = await restore_postgres(request, self.listener, self.consent)
        try:
            if self.point.redis is not None:
                load = RedisRestoreOptions(*where, options.cluster, options.timeout_s)
                self.redis = await restore_redis(load, self.listener, self.consent)
            if self.point.vault:
                self.vault = await vault.restore_vault(options._vault, self.listener, self.consent)
        except VrooliError as error:
            self._explain(error)
            raise
        except asyncio.CancelledError as cancelled:
            interrupt = InterruptError("It was interrupted.")
            self._explain(interrupt)
            raise interrupt from cancelled

    def _explain(self, error: VrooliError) -> None:
        """Add to an error which parts are restored, how to return, and how to go on."""
        done = "PostgreSQL and Redis have" if self.redis else "PostgreSQL has"
        error.message = (
            f"{TITLES[self.remaining[0]]}: {error.message} {done} the data of point "
            f"{self.options.point} already."
        )
        error.args = (error.message,)
        undo = [part.undo_command for part in (self.postgres, self.redis) if part is not None]
        rest = " and ".join(f"`{self.options.command(part)}`" for part in self.remaining)
        back = " and ".join(f"`{command}`" for command in undo)
        # PostgreSQL refuses another restore before the end of this one.
        error.advice = (
            f"{error.advice} Do not run --all again; to restore the rest: {rest}. To bring the "
            f"data of before back: {back}."
        ).lstrip()
