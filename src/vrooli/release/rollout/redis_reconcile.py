"""Trigger reconciliations of the Redis operator.

The operator reconciles a RedisFailover when it changes, and every 30 seconds. At a first
installation, the Secret with the password is made shortly after the RedisFailover, and its pods run
shortly after they are made: each would wait for the next interval. During an update it replaces one
pod of Redis per reconciliation, and a new Sentinel is ready when a reconciliation has given it the
master. An annotation on the object triggers one at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import is_pod_ready
from vrooli.operators.progress import outdated_pods
from vrooli.operators.redis.names import COMPONENT_LABEL, FAILOVER_LABEL, ROLE_LABEL
from vrooli.release.rollout.readiness import Body

ANNOTATION = "vrooli.com/woken"
# The pause between two triggers, seconds: the effect of the last one must be visible.
PAUSE_S = 4.0


class RedisReconcileTrigger:
    """Triggers reconciliations of the RedisFailovers among some manifests."""

    def __init__(self, kube: Kube, manifests: Sequence[Manifest]) -> None:
        self._kube = kube
        self._manifests = [item for item in manifests if item.kind == "RedisFailover"]
        self._triggered_at = time.monotonic()

    async def trigger(self, snapshot: Snapshot) -> None:
        """Trigger a reconciliation if a RedisFailover waits for one."""
        if time.monotonic() - self._triggered_at < PAUSE_S:
            return
        for manifest in self._manifests:
            body = snapshot.find(manifest.kind, manifest.name)
            if body is not None and is_waiting(body, snapshot):
                self._triggered_at = time.monotonic()
                patch = {"metadata": {"annotations": {ANNOTATION: datetime.now(UTC).isoformat()}}}
                await self._kube.patch(
                    manifest.api_version, manifest.kind, manifest.name, manifest.namespace, patch
                )


def is_waiting(body: Body, snapshot: Snapshot) -> bool:
    """Whether a RedisFailover has no pods, no master, outdated pods or Sentinels without master."""
    labels = {FAILOVER_LABEL: body["metadata"]["name"]}
    for part in ("redis", "sentinel"):
        pods = snapshot.active_pods({**labels, COMPONENT_LABEL: part})
        if not pods:
            return True
        running = sum(pod.get("status", {}).get("phase") == "Running" for pod in pods)
        if running < body["spec"][part].get("replicas", 3):
            return False
    runner = snapshot.find("StatefulSet", f"rfr-{body['metadata']['name']}")
    if runner is not None and outdated_pods(runner, snapshot):
        return all(map(is_pod_ready, snapshot.active_pods(labels)))
    sentinels = snapshot.active_pods({**labels, COMPONENT_LABEL: "sentinel"})
    if not all(map(is_pod_ready, sentinels)):
        return True
    return not snapshot.active_pods({**labels, ROLE_LABEL: "master"})
