"""Larger volumes for PostgreSQL where the storage class cannot expand them.

PGO makes the volumes of new instances in the size of the PostgresCluster and keeps those of the
others. So each instance with a smaller volume is replaced: one more instance is added, then
replicas are deleted one by one, and the primary last, after a switchover. At each moment as many
instances as before have all data. If this is killed, it continues with those that are left.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial

from vrooli.databases.model import Switched
from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import disk, replication, switchover
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube, quantities
from vrooli.kube.objects import items, labels, name, number, text, uid_of
from vrooli.operators import volumes
from vrooli.operators.pgo import names

POLL_S = 1.0
# The volumes of a node's own disk, by the field of their PersistentVolume.
LOCAL = ("hostPath", "local")


@dataclass(frozen=True)
class DataVolume:
    """The data volume of an instance.

    Attributes:
        claim: The name of its claim.
        instance: The instance, also the name of its StatefulSet.
        size: The requested size.
        storage_class: Its class.
        volume: The name of its PersistentVolume.
    """

    claim: str
    instance: str
    size: str
    storage_class: str
    volume: str

    @property
    def pod(self) -> str:
        """The pod of the instance."""
        return f"{self.instance}-0"

    def is_smaller(self, size: str) -> bool:
        """Whether it is smaller than a size."""
        return volumes.compare_sizes(self.size, size) < 0


async def data_volumes(postgres: Postgres) -> list[DataVolume]:
    """The data volumes of a PostgresCluster that are not being deleted."""
    selector = f"{names.CLUSTER_LABEL}={postgres.name},{names.ROLE_LABEL}=pgdata"
    claims = await postgres.kube.list("v1", volumes.KIND, postgres.namespace, selector)
    return [
        DataVolume(
            name(claim),
            text(labels(claim), names.INSTANCE_LABEL),
            volumes.storage_request(claim["spec"]),
            text(claim, "spec", "storageClassName"),
            text(claim, "spec", "volumeName"),
        )
        for claim in claims
        if not text(claim, "metadata", "deletionTimestamp")
    ]


async def is_on_node_disk(kube: Kube, volume: DataVolume) -> bool:
    """Whether a volume is on the disk of its node, which others fill, too."""
    body = await kube.get("v1", "PersistentVolume", volume.volume)
    return body is not None and any(field in body["spec"] for field in LOCAL)


async def demand_room(postgres: Postgres, size: str, instances: int) -> None:
    """Refuse if the disk of a node has no room for its new volumes beside the old ones.

    A node gets one for each smaller volume on it, and the one of the additional instance if that is
    missing. Volumes that are not on the disk of a node are not checked.

    Args:
        postgres: The PostgresCluster.
        size: The size of the new volumes.
        instances: The number of instances, without the additional one.

    Raises:
        PrerequisiteError: There is no room; the message has the bytes. Or it cannot be read.
    """
    present, by_node = await data_volumes(postgres), dict[str, list[DataVolume]]()
    for volume in present:
        if not volume.is_smaller(size):
            continue
        if not await is_on_node_disk(postgres.kube, volume):
            continue
        pod = await postgres.kube.get("v1", "Pod", volume.pod, postgres.namespace)
        by_node.setdefault(text(pod or {}, "spec", "nodeName"), []).append(volume)
    more = 1 if len(present) <= instances else 0
    for found in by_node.values():
        pod_name = found[0].pod
        needed = quantities.number(size) * (len(found) + more)
        free = await disk.free_bytes(postgres, pod_name)
        if free < needed:
            raise PrerequisiteError(
                f"The node of pod {pod_name} has {free} bytes free, but the new volumes need "
                f"{needed:.0f} bytes beside the old ones. Nothing was changed.",
                "Free space on the node, or choose a smaller size.",
            )


async def set_size(postgres: Postgres, size: str) -> None:
    """Request a size of the data volumes of all instances, as their class expands them."""
    place = (names.API_VERSION, names.KIND, postgres.name, postgres.namespace)
    instances = [
        copy.deepcopy(dict(item))
        for item in items(await postgres.kube.get(*place), "spec", "instances")
    ]
    for instance in instances:
        instance["dataVolumeClaimSpec"]["resources"]["requests"]["storage"] = size
    await postgres.kube.patch(*place, {"spec": {"instances": instances}})


@dataclass
class Replacement:
    """The replacement of all instances whose volumes are smaller than a size.

    Attributes:
        postgres: The PostgresCluster.
        size: The size.
        limit_s: How long an instance may take to copy the data, seconds.
        switched: The switchover; None if the primary had a large volume.
    """

    postgres: Postgres
    size: str
    limit_s: float
    switched: Switched | None = None

    async def run(self, replicas: int, progress: Progress) -> None:
        """Replace them, until the PostgresCluster has this number of instances again.

        Raises:
            WaitTimeoutError: A new instance did not follow the primary in time.
            VrooliError: PostgreSQL refused the switchover.
        """
        if await self._small():
            await self._set_replicas(replicas + 1)
            await self._await_instances(replicas + 1, progress)
        while small := await self._small_replicas():
            progress.report(f"replaces {small[0].instance}")
            await self._retire(small[0])
            await self._await_instances(replicas + 1, progress, retired=small[0])
        retired = None
        if old := await self._small():
            await self._switch_over(progress)
            await self._retire(old[0])
            retired = old[0]
        if (present := await self._replicas()) > replicas:  # PGO may delete any but the primary
            await self._await_instances(present, progress, retired=retired)
            await self._set_replicas(replicas)
        await self._await_instances(replicas, progress)

    async def _small(self) -> list[DataVolume]:
        return [item for item in await data_volumes(self.postgres) if item.is_smaller(self.size)]

    async def _small_replicas(self) -> list[DataVolume]:
        primary = (await self.postgres.primary()).pod
        return [item for item in await self._small() if item.pod != primary]

    async def _switch_over(self, progress: Progress) -> None:
        """Make an instance with a large volume the primary; any synchronous one is large now."""
        planned = await switchover.plan(self.postgres, "", progress)
        self.switched = await switchover.switch_over(self.postgres, planned, progress)
        await switchover.await_followers(self.postgres, self.switched.pod, progress)

    async def _retire(self, volume: DataVolume) -> None:
        """Delete an instance with its volume; PGO makes a new one if it has too few."""
        kube, namespace = self.postgres.kube, self.postgres.namespace
        # The claim stays until its pod is gone.
        await kube.delete("v1", volumes.KIND, volume.claim, namespace)
        # PGO may make an instance of the same name.
        place = ("apps/v1", "StatefulSet", volume.instance, namespace)
        await kube.delete(*place, uid=uid_of(await kube.get(*place)))

    async def _replicas(self) -> int:
        """How many instances the PostgresCluster requests."""
        postgres = self.postgres
        place = (names.API_VERSION, names.KIND, postgres.name, postgres.namespace)
        instances = items(await postgres.kube.get(*place), "spec", "instances")
        return number(instances[0], "replicas", default=1)

    async def _set_replicas(self, replicas: int) -> None:
        postgres = self.postgres
        place = (names.API_VERSION, names.KIND, postgres.name, postgres.namespace)
        body = await postgres.kube.get(*place)
        instances = [copy.deepcopy(dict(item)) for item in items(body, "spec", "instances")]
        if number(instances[0], "replicas", default=1) != replicas:
            instances[0]["replicas"] = replicas
            await postgres.kube.patch(*place, {"spec": {"instances": instances}})

    async def _await_instances(
        self, count: int, progress: Progress, retired: DataVolume | None = None
    ) -> None:
        """Wait until this many instances are ready, and all replicas follow the primary.

        A retired one is ready until Kubernetes deletes it, and PGO may use its name again.
        """
        reason = await poll_reason(
            partial(self._unready_reason, count, retired),
            self.limit_s,
            progress,
            interval_s=POLL_S,
        )
        if reason:
            raise WaitTimeoutError(
                f"PostgreSQL {self.postgres.name} has not {count} instances in sync after "
                f"{self.limit_s:.0f} s: {reason}.",
                "All data are still served. Run `vrooli diagnose` to find the cause, then the "
                "same command again: it continues.",
            )

    async def _unready_reason(self, count: int, retired: DataVolume | None) -> str:
        if retired is not None and await self._exists(retired):
            return f"{retired.pod} is being deleted"
        instances = await self.postgres.instances()
        ready = [item for item in instances if item.is_ready]
        if len(instances) != count or len(ready) != count:
            return f"{len(ready)} of {count} instances are ready"
        primaries = [item.pod for item in instances if item.is_primary]
        if len(primaries) != 1:
            return "there is no primary"
        others = [item.pod for item in instances if item.pod != primaries[0]]
        replicas = await replication.fetch(self.postgres, primaries[0], others)
        return replication.first_problem(replicas)

    async def _exists(self, retired: DataVolume) -> bool:
        """Whether a retired volume still exists; it does until its pod has ended."""
        place = ("v1", volumes.KIND, retired.claim, self.postgres.namespace)
        claim = await self.postgres.kube.get(*place)
        if claim is None:
            return False
        return volumes.compare_sizes(volumes.storage_request(claim["spec"]), self.size) < 0
