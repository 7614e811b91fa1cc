"""Larger volumes for Redis where the storage class cannot expand them.

The operator keeps the claim template of an existing StatefulSet. So the StatefulSet is deleted
without its pods; the operator creates it with the new template, and it adopts the pods. Then each
replica is deleted with its volume, and its new pod copies the data of the master; the master is
replaced last, after a switchover. While a replica copies, there is one copy of the data less. If
this is killed, it continues with the pods that are left.
"""

from __future__ import annotations

from dataclasses import dataclass

from vrooli.databases.model import Switched
from vrooli.databases.polling import poll_reason
from vrooli.databases.redis import switchover
from vrooli.databases.redis.session import Redis, RedisCommandError, RedisPod
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.objects import Body, items, mapping, name, text, uid_of
from vrooli.operators import volumes
from vrooli.operators.redis import names
from vrooli.operators.redis.volumes import volume_specs

POLL_S = 1.0
# How long the operator may take to create a StatefulSet; it reconciles every 30 s, seconds.
RECONCILE_S = 120.0


@dataclass
class Replacement:
    """The replacement of all pods whose volumes are smaller than a size.

    Attributes:
        redis: The RedisFailover, which requests the size.
        size: The size.
        limit_s: How long a new pod may take to copy the data, seconds.
        switched: The switchover; None if the master had a large volume.
    """

    redis: Redis
    size: str
    limit_s: float
    switched: Switched | None = None

    async def run(self, progress: Progress) -> None:
        """Replace them one by one.

        Raises:
            PrerequisiteError: A pod is unhealthy or lags.
            WaitTimeoutError: The operator or a new pod did not become ready in time.
            VrooliError: Sentinel refused the switchover.
        """
        if not await self._small():
            return
        await self._renew_template(progress)
        await self._await_in_sync(progress)
        while small := await self._small():
            master = await self.redis.master()
            replicas = [pod for pod in small if pod.name != master.name]
            if not replicas:
                await self._switch_over(progress)
                replicas = small
            progress.report(f"replaces {replicas[0].name}")
            await self._replace(replicas[0], progress)

    async def _small(self) -> list[RedisPod]:
        """The pods with a smaller volume."""
        claims = await self.redis.kube.list("v1", volumes.KIND, self.redis.namespace)
        small = [
            name(claim)
            for spec in volume_specs(self.redis.body)
            for claim in spec.claims(claims)
            if self._is_smaller(claim)
        ]
        pods = await self.redis.pods()
        return [pod for pod in pods if any(claim.endswith(f"-{pod.name}") for claim in small)]

    def _is_smaller(self, claim: Body) -> bool:
        return volumes.compare_sizes(volumes.storage_request(claim["spec"]), self.size) < 0

    async def _renew_template(self, progress: Progress) -> None:
        """Have the operator create the StatefulSet with the new claim template."""
        if not await self._template_reason():
            return
        kube, namespace = self.redis.kube, self.redis.namespace
        set_name = names.stateful_set_name(self.redis.name)
        progress.report(f"creates StatefulSet {set_name} anew, its pods go on")
        place = ("apps/v1", "StatefulSet", set_name, namespace)
        uid = uid_of(await kube.get(*place))
        await kube.delete(*place, uid=uid, propagation="Orphan")
        await switchover.request_reconcile(self.redis)
        if reason := await poll_reason(
            self._template_reason, RECONCILE_S, progress, interval_s=POLL_S
        ):
            raise WaitTimeoutError(
                f"The Redis operator has not created StatefulSet {set_name} with volumes of "
                f"{self.size} after {RECONCILE_S:.0f} s: {reason}.",
                "Redis serves on. Run `vrooli diagnose` to find the cause, then the same command "
                "again: it continues.",
            )

    async def _template_reason(self) -> str:
        """Why new pods would not get the size; empty if they would."""
        set_name = names.stateful_set_name(self.redis.name)
        place = ("apps/v1", "StatefulSet", set_name, self.redis.namespace)
        body = await self.redis.kube.get(*place)
        if body is None or text(body, "metadata", "deletionTimestamp"):
            return f"StatefulSet {set_name} does not exist"
        if any(self._is_smaller(claim) for claim in items(body, "spec", "volumeClaimTemplates")):
            return f"StatefulSet {set_name} has the former claim template"
        return ""

    async def _switch_over(self, progress: Progress) -> None:
        planned = await switchover.plan(self.redis, "", progress)
        self.switched = await switchover.switch_over(self.redis, planned, progress)
        await switchover.await_followers(self.redis, self.switched.pod, progress)

    async def _replace(self, pod: RedisPod, progress: Progress) -> None:
        """Delete a pod with its volume, and wait until the new one has the data."""
        kube, namespace = self.redis.kube, self.redis.namespace
        body = await kube.get("v1", "Pod", pod.name, namespace)
        claims = [
            text(mapping(volume, "persistentVolumeClaim"), "claimName")
            for volume in items(body, "spec", "volumes")
        ]
        for claim in filter(None, claims):
            await kube.delete("v1", volumes.KIND, claim, namespace)
        await kube.delete("v1", "Pod", pod.name, namespace, uid=uid_of(body))
        await self._await_in_sync(progress)

    async def _await_in_sync(self, progress: Progress) -> None:
        await switchover.request_reconcile(self.redis)
        if reason := await poll_reason(
            self._unready_reason, self.limit_s, progress, interval_s=POLL_S
        ):
            raise WaitTimeoutError(
                f"Redis {self.redis.name} is not in sync after {self.limit_s:.0f} s: {reason}.",
                "Redis serves all data. Run `vrooli diagnose` to find the cause, then the same "
                "command again: it continues.",
            )

    async def _unready_reason(self) -> str:
        pods, count = await self.redis.pods(), self.redis.replicas(names.REDIS)
        ready = [pod for pod in pods if pod.is_ready and pod.address]
        if len(pods) != count or len(ready) != count:
            return f"{len(ready)} of {count} pods are ready"
        try:
            return await switchover.lag_reason(self.redis, await self.redis.master())
        except (PrerequisiteError, RedisCommandError) as error:  # a new replica loads its data
            return error.message
