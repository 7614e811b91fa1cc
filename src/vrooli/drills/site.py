"""What a drill needs of a release and its cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from vrooli.chart.manifest import Manifest
from vrooli.cluster.interface import ClusterStatus
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.kube import Kube
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis_names
from vrooli.release.model import Release
from vrooli.release.records.storage import ReleaseRecord
from vrooli.secrets.names import Names


class ProcessTable(Protocol):
    """The processes of a cluster that runs on this machine."""

    async def status(self) -> ClusterStatus:
        """The status of the cluster, with its components."""

    def kill_component(self, name: str) -> int:
        """Kill the process of a component; returns its id."""

    def kill_in_pod(self, pod_uid: str, program: str) -> int:
        """Kill the processes of a program in a pod; returns how many."""


@dataclass(frozen=True)
class Site:
    """A release in a cluster.

    Attributes:
        kube: The cluster.
        release: The release.
        manifests: Its objects.
        processes: The processes of the cluster; None if it does not run on this machine alone.
        postgres: Its PostgreSQL; None if that is outside the cluster.
        redis: Its Redis; None if that is outside the cluster.
        names: The names of its Secrets.
    """

    kube: Kube
    release: Release
    manifests: tuple[Manifest, ...]
    processes: ProcessTable | None
    postgres: Postgres | None
    redis: Redis | None
    names: Names = field(default_factory=Names)

    @classmethod
    async def of(
        cls,
        kube: Kube,
        release: Release,
        record: ReleaseRecord,
        processes: ProcessTable | None,
    ) -> Site:
        """The site of a release with this record."""
        manifests = record.manifests
        kinds = {item.kind for item in manifests}
        return cls(
            kube,
            release,
            manifests,
            processes,
            await Postgres.of(kube, release) if pgo.KIND in kinds else None,
            await Redis.of(kube, release) if redis_names.KIND in kinds else None,
            Names.of(record.values),
        )
