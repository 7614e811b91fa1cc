"""The steps of one backup and the data that they share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from vrooli.backups import listing, moment, points, redis_dump, vault_versions
from vrooli.backups.info import INCREMENTAL
from vrooli.backups.listing import Listing
from vrooli.backups.points import Point
from vrooli.databases.redis.session import Redis, RedisPod
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.grammar import counted, format_bytes
from vrooli.kube import Kube
from vrooli.operators.redis import names as redis_names
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.rotation import vault_values
from vrooli.rotation.model import SyncedSecret
from vrooli.steps import Done, Step

# How long a backup may take, seconds.
BACKUP_S = 3600.0
# How long the dump of Redis, and the archiving of one WAL segment, may take, seconds.
DUMP_S, ARCHIVE_S = 300.0, 120.0


@dataclass(frozen=True)
class BackupOptions:
    """The options of backup.

    Attributes:
        environment: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        repository: The number of the repository.
        kind: full, diff or incr.
        timeout_s: How long PostgreSQL's backup may take, seconds.
    """

    environment: Environment
    cluster: str | None = None
    repository: int = 1
    kind: str = INCREMENTAL
    timeout_s: float = BACKUP_S


@dataclass
class BackupRun:
    """The steps of one backup and the data that they share."""

    options: BackupOptions
    kube: Kube
    release: Release
    record: ReleaseRecord
    listed: Listing
    redis: Redis | None
    master: RedisPod | None
    point: Point
    label: str = ""
    wal: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    async def prepared(cls, options: BackupOptions, kube: Kube, release: Release) -> BackupRun:
        """Check everything that a backup needs; nothing is changed."""
        record = await storage.fetch_record(kube, release)
        if record is None:
            raise PrerequisiteError(
                f"There is no release {release.name} in namespace {release.namespace}.",
                "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
            )
        await lease.demand_free(kube, release)
        listed = await listing.fetch(kube, release)
        listing.demand_usable(listed.info, options.repository)
        has_redis = any(item.kind == redis_names.KIND for item in record.manifests)
        redis = await Redis.of(kube, release) if has_redis else None
        master = await redis.master() if redis else None
        origin = record.metadata.origin
        point = Point("", moment.EPOCH, release.name, record.revision.number, origin.version)
        return cls(options, kube, release, record, listed, redis, master, point)

    def steps(self) -> list[Step]:
        """The steps: the moment is after the backup, which a restore to it needs."""
        return [
            Step("postgres", "PostgreSQL", self.copy),
            Step("point", "Moment of the point", self.mark, ("postgres",)),
            Step("redis", "Redis", self.store_redis, ("point",)),
            Step("archive", "WAL", self.archive, ("point",)),
            Step("record", "Record", self.record_point, ("redis", "archive")),
        ]

    async def copy(self, progress: Progress) -> Done:
        """Back up PostgreSQL."""
        number, repository = self.options.repository, self.listed.repository
        before = {item.label for item in self.listed.info.of(number)}
        progress.report(f"pgBackRest copies the data to repository {number}")
        await repository.backup(number, self.options.kind, self.options.timeout_s)
        new = [item for item in (await repository.info()).of(number) if item.label not in before]
        if not new:
            raise VrooliError("pgBackRest completed a backup that is not in its repository.")
        self.label = new[-1].label
        sizes = f"{format_bytes(new[-1].size)} of data, {format_bytes(new[-1].stored)} stored"
        return Done(changed=True, detail=f"{new[-1].kind} backup {self.label}: {sizes}")

    async def mark(self, progress: Progress) -> Done:
        """Take the moment: PostgreSQL, Redis and Vault at once."""
        del progress
        postgres = self.listed.repository.postgres
        identifier = points.point_id(await moment.now(postgres))
        async with asyncio.TaskGroup() as group:
            name = points.restore_point_name(identifier)
            marked = group.create_task(moment.mark(postgres, name))
            group.create_task(self.save_redis())
            vault = group.create_task(self.read_vault())
        self.wal, at = marked.result()
        self.point = replace(self.point, id=identifier, time=at, vault=vault.result())
        secrets = counted(len(self.point.vault), "secret")
        return Done(changed=True, detail=f"{identifier}, versions of {secrets} in Vault")

    async def save_redis(self) -> None:
        """Have Redis write its dump."""
        if self.redis and self.master:
            await redis_dump.save(self.redis, self.master, DUMP_S)

    async def read_vault(self) -> dict[str, int]:
        """The versions in Vault; without access to it the point has none."""
        bodies = vault_versions.synced(item.body for item in self.record.manifests)
        if not bodies:
            return {}
        first = SyncedSecret(self.release.namespace, dict(bodies[0]))
        try:
            async with vault_values.reach(self.kube, first, vault_versions.RIGHT) as vault:
                return dict(await vault_versions.fetch(vault, bodies))
        except VrooliError as error:
            reason = f"{error.message} {error.advice}".rstrip()
            self.notes.append(f"versions of the secrets in Vault: {reason}")
            return {}

    async def store_redis(self, progress: Progress) -> Done:
        """Copy the dump of Redis to the repository."""
        if self.redis is None or self.master is None:
            return Done(changed=False, detail="the release has no Redis in the cluster")
        progress.report("copies the dump to the repository")
        number, repository = self.options.repository, self.listed.repository
        async with redis_dump.linked(self.redis, self.master, self.point.id) as dump:
            stored = await redis_dump.store(self.redis, dump, repository, number, self.point.folder)
        self.point = replace(self.point, redis=stored)
        detail = f"{counted(stored.keys, 'key')}, {format_bytes(stored.size)}"
        return Done(changed=True, detail=detail)

    async def archive(self, progress: Progress) -> Done:
        """Wait until the WAL up to the moment is archived."""
        progress.report(f"waits until {self.wal} is archived")
        await moment.archive(self.listed.repository.postgres, self.wal, ARCHIVE_S)
        return Done(changed=True, detail=f"archived up to {self.wal}")

    async def record_point(self, progress: Progress) -> Done:
        """Record the point with the backup, and remove the dumps of expired ones."""
        del progress
        number, repository = self.options.repository, self.listed.repository
        await repository.annotate(number, self.label, points.ANNOTATION, self.point.to_annotation())
        removed = await self.prune()
        return Done(changed=True, detail=f"{counted(removed, 'expired dump')} removed")

    async def prune(self) -> int:
        """Remove the dumps whose backups pgBackRest has expired; returns how many."""
        number, repository = self.options.repository, self.listed.repository
        info = await repository.info()
        recorded = {point.id for item in info.of(number) if (point := points.parse_point(item))}
        stored = {path.partition("/")[0] for path in await repository.sizes(number, points.FOLDER)}
        for identifier in sorted(stored - recorded):
            await repository.remove(number, f"{points.FOLDER}/{identifier}")
        return len(stored - recorded)
