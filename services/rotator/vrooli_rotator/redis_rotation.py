"""Rotation of Redis: every process accepts both passwords until no pod uses the old one.

The operator writes the password to the configuration and environment of Redis, which a pod reads at
startup. Therefore the Redis pods are replaced too, one at a time; the master last, after a
switchover.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.kubernetes import Body, Kubernetes
from vrooli_rotator.outcome import Outcome
from vrooli_rotator.published import Published
from vrooli_rotator.redis_nodes import (
    Node,
    Replication,
    SentinelNode,
    accept,
    accept_only,
    read_write_limit,
    set_write_limit,
    switch_over,
    use_with_master,
)
from vrooli_rotator.secrets import Secret, Secrets, source_data

log = logging.getLogger(__name__)

# The key that the Redis operator reads.
PASSWORD = "password"  # noqa: S105 - the key's name
# Keys of the state Secret.
PREVIOUS, CONFIGURED_AT = "redis.previous", "redis.configured-at"
# The original `min-replicas-to-write` of the master during a switchover.
WRITE_LIMIT = "redis.write-limit"
# Characters that end a word in redis.conf, where the operator writes the password without quotes.
UNUSABLE = re.compile(r"[\s\"'\\\x00-\x1f\x7f]")
# A change of this annotation triggers the operator, which otherwise reconciles every 30 s.
REQUESTED_AT = "vrooli.com/password-published-at"
REQUEST_EVERY_S = 30.0


@dataclass(frozen=True)
class Failover:
    """The RedisFailover and the names of its Secrets."""

    name: str
    replicas: int
    sentinels: int
    source: str
    published: str
    is_persistent: bool = True


@dataclass(frozen=True)
class RedisPod:
    """A Redis pod."""

    node: Node
    uid: str
    created_at: datetime
    is_ready: bool


class RedisRotation:
    """Applies the password of the source Secret to Redis and the published Secret."""

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
        self._published = Published(
            secrets, failover.published, state_secret, "redis", (PASSWORD, "REDIS_PASSWORD")
        )
        self._requested_at = -REQUEST_EVERY_S

    async def reconcile(self) -> Outcome:
        """Perform the steps that are possible now; see ``PostgresRotation.reconcile``."""
        source = await self._secrets.get(self._failover.source)
        state = await self._secrets.read(self._state_secret)
        published = await self._published.get(source, state)
        if published is None:
            await self._published.publish(self._valid_data(source), is_first=True)
            return Outcome.AT_REST
        current = published.data[PASSWORD]
        previous = state.get(PREVIOUS)
        if previous and previous != current:
            await self._complete(published, previous, state)
            return Outcome.COMPLETED
        data = self._valid_data(source)
        if data[PASSWORD] != current:
            await self._switch(current, data)
            return Outcome.PUBLISHED
        if previous:
            await self._cancel_switch(current)
        if published.data != data:
            await self._published.publish(data)
            return Outcome.PUBLISHED
        return Outcome.AT_REST

    def _valid_data(self, source: Secret | None) -> Mapping[str, str]:
        data = source_data(source, self._failover.source)
        password = data.get(PASSWORD, "")
        if not password or UNUSABLE.search(password):
            raise RefusedError(
                f"the Secret {self._failover.source} has no {PASSWORD} that redis.conf supports: "
                "it must not be empty or contain whitespace, quotes or backslashes. "
                "Change it in Vault"
            )
        return data

    async def _switch(self, current: str, data: Mapping[str, str]) -> None:
        """Make every process accept both passwords, then publish the new one."""
        new = data[PASSWORD]
        pods, sentinels = await self._pods(), await self._sentinels()
        await self._secrets.set(self._state_secret, {PREVIOUS: current, CONFIGURED_AT: None})
        await self._accept(pods, new, current)
        await self._configure(sentinels, new)
        await self._published.publish(data)
        await self._request_reconcile()
        log.info("Redis: the new password is published; the previous one is still accepted")

    async def _accept(self, pods: list[RedisPod], new: str, previous: str) -> None:
        """Make every Redis accept both passwords before any uses the new one."""
        for pod in pods:
            await accept(pod.node, [new, previous])
        for pod in pods:
            await use_with_master(pod.node, new)

    async def _configure(self, sentinels: list[SentinelNode], password: str) -> None:
        """Set the password of every Sentinel, which makes it reconnect."""
        for sentinel in sentinels:
            await sentinel.set_password(password)

    async def _cancel_switch(self, password: str) -> None:
        """Revert a switch that was not published; Redis may already use its password."""
        pods, sentinels = await self._pods(), await self._sentinels()
        await self._accept(pods, password, password)
        await self._configure(sentinels, password)
        await self._accept_only(pods, password)

    async def _accept_only(self, pods: list[RedisPod], password: str) -> None:
        for pod in pods:
            await accept_only(pod.node, password)
        await self._secrets.set(self._state_secret, {PREVIOUS: None, CONFIGURED_AT: None})

    async def _complete(self, published: Secret, previous: str, state: Mapping[str, str]) -> None:
        """Replace all pods that started with the previous password, then reject it."""
        new = published.data[PASSWORD]
        pods, sentinels = await self._pods(), await self._sentinels()
        await self._accept(pods, new, previous)
        if WRITE_LIMIT in state:
            await self._lift_write_limit(pods, new, state[WRITE_LIMIT])
        configured_at = await self._await_configuration(new, state.get(CONFIGURED_AT))
        if published.published_at is not None:
            await self._consumers.replace(published.published_at)
        await self._replace_old_pods(pods, sentinels, configured_at, new)
        # A Sentinel that started in the meantime may have the previous password.
        await self._configure(sentinels, new)
        await self._accept_only(pods, new)
        log.info("Redis: every process rejects the previous password")

    async def _await_configuration(self, password: str, configured_at: str | None) -> datetime:
        """The time since which new pods start with the new password; stored once known."""
        if configured_at is not None:
            return datetime.fromisoformat(configured_at)
        config = await self._kubernetes.get("ConfigMap", f"rfr-{self._failover.name}")
        text = "\n".join((config or {}).get("data", {}).values())
        if f"requirepass {password}" not in text.splitlines():
            await self._request_reconcile()
            raise WaitingError("the Redis operator has not written the new password yet")
        now = datetime.now(UTC)
        await self._secrets.set(self._state_secret, {CONFIGURED_AT: now.isoformat()})
        return now

    async def _request_reconcile(self) -> None:
        """Trigger the operator, which otherwise reconciles every 30 s."""
        now = time.monotonic()
        if now - self._requested_at < REQUEST_EVERY_S:
            return
        self._requested_at = now
        patch = {"metadata": {"annotations": {REQUESTED_AT: datetime.now(UTC).isoformat()}}}
        await self._kubernetes.patch("RedisFailover", self._failover.name, patch)

    async def _lift_write_limit(self, pods: list[RedisPod], password: str, limit: str) -> None:
        for pod in pods:
            await set_write_limit(pod.node, password, limit)
        await self._secrets.set(self._state_secret, {WRITE_LIMIT: None})

    async def _replace_old_pods(
        self, pods: list[RedisPod], sentinels: list[SentinelNode], moment: datetime, password: str
    ) -> None:
        old = [pod for pod in pods if pod.created_at < moment]
        if not old:
            return
        states = {pod.node: await pod.node.replication([password]) for pod in pods}
        await self._require_health(pods, states, sentinels)
        replicas = [pod for pod in old if not states[pod.node].is_master]
        if len(pods) == 1 and not self._failover.is_persistent:
            raise WaitingError(
                f"the only Redis, {old[0].node.name}, stores its data in memory: delete the pod "
                "when its data may be lost; until then the previous password is accepted too"
            )
        if replicas or len(pods) == 1:
            pod = (replicas or old)[0]
            await self._kubernetes.delete("Pod", pod.node.name, pod.uid)
            raise WaitingError(f"the pod {pod.node.name} is being replaced")
        if sum(state.is_master for state in states.values()) != 1:
            raise WaitingError("Redis does not have exactly one master")
        (master,) = old
        others = [pod.node for pod in pods if pod is not master]
        limit = await read_write_limit(master.node, password)
        await self._secrets.set(self._state_secret, {WRITE_LIMIT: limit})
        await switch_over(master.node, others, sentinels[0], password)
        raise WaitingError(f"the Redis {master.node.name} becomes a replica")

    async def _require_health(
        self,
        pods: list[RedisPod],
        states: Mapping[Node, Replication],
        sentinels: list[SentinelNode],
    ) -> None:
        """Require that all pods are healthy before one is deleted."""
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
            WaitingError: One is missing and would not get the new password.
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
