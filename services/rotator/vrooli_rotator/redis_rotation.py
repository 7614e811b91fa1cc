"""Redis: every process takes both passwords until no pod knows the old one.

The operator writes the password into Redis' configuration and environment, which a pod reads when
it starts: so Redis' pods are replaced too, one at a time, the master last and as a replica.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.kubernetes import Body, Kubernetes
from vrooli_rotator.redis_nodes import (
    Node,
    Replication,
    SentinelNode,
    accept,
    accept_only,
    switch_over,
    use_with_master,
)
from vrooli_rotator.secrets import Secret, Secrets

log = logging.getLogger(__name__)

# The key that the Redis operator reads.
PASSWORD = "password"  # noqa: S105 - the key's name
# Keys of this program's own Secret.
PREVIOUS, CONFIGURED_AT = "redis.previous", "redis.configured-at"
# The operator writes the password into redis.conf as it is, where these would end the word.
UNUSABLE = re.compile(r"[\s\"'\\\x00-\x1f\x7f]")
# A change of this annotation makes the operator look at once instead of within 30 s.
REQUESTED_AT = "vrooli.com/password-published-at"


@dataclass(frozen=True)
class Failover:
    """The RedisFailover, and what its Secrets are called."""

    name: str
    replicas: int
    sentinels: int
    source: str
    published: str


@dataclass(frozen=True)
class RedisPod:
    """A pod of Redis, and when it was made."""

    node: Node
    uid: str
    created_at: datetime
    is_ready: bool


class RedisRotation:
    """Brings the password of the source Secret into Redis and the published Secret."""

    name = "Redis"

    def __init__(
        self,
        failover: Failover,
        kubernetes: Kubernetes,
        secrets: Secrets,
        consumers: Consumers,
        state_secret: str,
    ) -> None:
        self._failover = failover
        self._kubernetes = kubernetes
        self._secrets = secrets
        self._consumers = consumers
        self._state_secret = state_secret

    async def reconcile(self) -> bool:
        """Do what can be done now; see ``PostgresRotation.reconcile``."""
        source = await self._source()
        published = await self._secrets.get(self._failover.published)
        if published is None or not published.data.get(PASSWORD):
            await self._secrets.publish(self._failover.published, source.data)
            return False
        current, new = published.data[PASSWORD], source.data[PASSWORD]
        state = await self._state()
        previous = state.get(PREVIOUS)
        if previous and previous != current:
            await self._complete(published, previous, state.get(CONFIGURED_AT))
            return False
        if new != current:
            await self._switch(current, source.data)
            return True
        if previous:
            await self._accept_only(await self._pods(), current)
        if published.data != source.data:
            await self._secrets.publish(self._failover.published, source.data)
            return True
        return False

    async def _source(self) -> Secret:
        source = await self._secrets.get(self._failover.source)
        if source is None:
            raise WaitingError(
                f"the Secret {self._failover.source}, which the Vault Secrets Operator makes, "
                "does not exist yet"
            )
        password = source.data.get(PASSWORD, "")
        if not password or UNUSABLE.search(password):
            raise RefusedError(
                f"the Secret {self._failover.source} has no {PASSWORD} that redis.conf can hold: "
                "it must not be empty, nor have white space, quotes or backslashes. "
                "Change it in Vault"
            )
        return source

    async def _state(self) -> Mapping[str, str]:
        secret = await self._secrets.get(self._state_secret)
        return secret.data if secret is not None else {}

    async def _switch(self, current: str, data: Mapping[str, str]) -> None:
        """Make every process take both passwords, then publish the new one."""
        new = data[PASSWORD]
        pods, sentinels = await self._pods(), await self._sentinels()
        await self._secrets.set(self._state_secret, {PREVIOUS: current, CONFIGURED_AT: None})
        await self._accept(pods, new, current)
        await self._configure(sentinels, new)
        await self._secrets.publish(self._failover.published, data)
        await self._request_reconcile()
        log.info("Redis: the new password is published; the previous one is still taken")

    async def _accept(self, pods: list[RedisPod], new: str, previous: str) -> None:
        """Make every Redis take both passwords; none uses the new one before all take it."""
        for pod in pods:
            await accept(pod.node, [new, previous])
        for pod in pods:
            await use_with_master(pod.node, new)

    async def _configure(self, sentinels: list[SentinelNode], password: str) -> None:
        """Make every Sentinel use this password; each connects anew, so not at every pass."""
        for sentinel in sentinels:
            await sentinel.set_password(password)

    async def _accept_only(self, pods: list[RedisPod], password: str) -> None:
        for pod in pods:
            await accept_only(pod.node, password)
        await self._secrets.set(self._state_secret, {PREVIOUS: None, CONFIGURED_AT: None})

    async def _complete(self, published: Secret, previous: str, configured_at: str | None) -> None:
        """Replace every pod that started with the previous password, then refuse it."""
        new = published.data[PASSWORD]
        if configured_at is None:
            await self._await_configuration(new)
        moment = datetime.fromisoformat(configured_at) if configured_at else datetime.now(UTC)
        pods, sentinels = await self._pods(), await self._sentinels()
        await self._accept(pods, new, previous)
        if published.published_at is not None:
            await self._consumers.replace(published.published_at)
        await self._replace_old_pods(pods, sentinels, moment, new)
        # One that started meanwhile may have been given the previous password.
        await self._configure(sentinels, new)
        await self._accept_only(pods, new)
        log.info("Redis: the previous password is refused everywhere")

    async def _await_configuration(self, password: str) -> None:
        """Wait until pods that start from now on have the new password, and note the moment."""
        config = await self._kubernetes.get("ConfigMap", f"rfr-{self._failover.name}")
        text = "\n".join((config or {}).get("data", {}).values())
        if f"requirepass {password}" not in text.splitlines():
            await self._request_reconcile()
            raise WaitingError("the Redis operator has not written the new password yet")
        now = datetime.now(UTC).isoformat()
        await self._secrets.set(self._state_secret, {CONFIGURED_AT: now})

    async def _request_reconcile(self) -> None:
        note = {"metadata": {"annotations": {REQUESTED_AT: datetime.now(UTC).isoformat()}}}
        await self._kubernetes.patch("RedisFailover", self._failover.name, note)

    async def _replace_old_pods(
        self, pods: list[RedisPod], sentinels: list[SentinelNode], moment: datetime, password: str
    ) -> None:
        old = [pod for pod in pods if pod.created_at < moment]
        if not old:
            return
        states = {pod.node: await pod.node.replication([password]) for pod in pods}
        await self._require_health(pods, states, sentinels)
        replicas = [pod for pod in old if not states[pod.node].is_master]
        if replicas or len(pods) == 1:
            pod = (replicas or old)[0]
            await self._kubernetes.delete("Pod", pod.node.name, pod.uid)
            raise WaitingError(f"the pod {pod.node.name} is being replaced")
        (master,) = old
        others = [pod.node for pod in pods if pod is not master]
        await switch_over(master.node, others, sentinels[0], password)
        raise WaitingError(f"the Redis {master.node.name} becomes a replica")

    async def _require_health(
        self,
        pods: list[RedisPod],
        states: Mapping[Node, Replication],
        sentinels: list[SentinelNode],
    ) -> None:
        """Never take a pod away while another one is missing."""
        for pod in pods:
            if not pod.is_ready or not states[pod.node].is_in_sync:
                raise WaitingError(f"the Redis {pod.node.name} is not ready or not in sync")
        for sentinel in sentinels:
            if len(pods) > 1 and not await sentinel.has_replicas(len(pods) - 1):
                raise WaitingError(f"Sentinel {sentinel.name} does not know every replica yet")

    async def _pods(self) -> list[RedisPod]:
        bodies = await self._component("redis", self._failover.replicas)
        return [
            RedisPod(
                Node(body["metadata"]["name"], body["status"]["podIP"]),
                body["metadata"]["uid"],
                datetime.fromisoformat(body["metadata"]["creationTimestamp"]),
                _is_ready(body),
            )
            for body in bodies
        ]

    async def _sentinels(self) -> list[SentinelNode]:
        bodies = await self._component("sentinel", self._failover.sentinels)
        return [SentinelNode(body["metadata"]["name"], body["status"]["podIP"]) for body in bodies]

    async def _component(self, component: str, number: int) -> list[Body]:
        """The running pods of Redis or Sentinel, all of them.

        Raises:
            WaitingError: One is missing: it would not take the new password.
        """
        labels = {
            "app.kubernetes.io/name": self._failover.name,
            "app.kubernetes.io/component": component,
        }
        running = [
            pod
            for pod in await self._kubernetes.list("Pod", labels)
            if pod["status"].get("phase") == "Running"
            and pod["status"].get("podIP")
            and "deletionTimestamp" not in pod["metadata"]
        ]
        if len(running) < number:
            raise WaitingError(f"{len(running)} of {number} pods of {component} run")
        return running


def _is_ready(pod: Body) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
