"""The tracker of a rollout: outages of the API server, and the message at the timeout."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.fakes.cluster_failures import BROKEN
from vrooli.chart import manifest
from vrooli.events import Progress
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout import failure_history, tracker
from vrooli.release.rollout.context import RolloutContext
from vrooli.release.rollout.tracker import RolloutTracker

NOW = datetime.now(UTC)
REDIS = manifest.from_body(
    {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": "redis"},
        "spec": {"redis": {}, "sentinel": {}},
    },
    "here",
)
DEPLOYMENT = manifest.from_body(
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "server"}, "spec": {}},
    "here",
)


def set_snapshot(rollout: RolloutTracker, *bodies: dict[str, Any]) -> None:
    """Replace the objects that the tracker has read."""
    rollout._watcher._snapshot = Snapshot.of(bodies)


async def test_a_trigger_of_an_operator_is_retried_while_the_api_server_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker, "POLL_S", 0.01)
    monkeypatch.setattr(tracker, "DEBOUNCE_S", 0.0)
    monkeypatch.setattr("vrooli.release.rollout.redis_reconcile.PAUSE_S", 0.0)
    cluster = FakeCluster(REDIS.body, namespace="here")
    cluster.failures.add("patch", "RedisFailover", BROKEN)
    rollout = RolloutTracker(cluster, (REDIS,), Progress("healthy", lambda _: None), NOW)
    set_snapshot(rollout, {**REDIS.body, "kind": "RedisFailover"})
    judging = asyncio.create_task(rollout.judge())
    async with asyncio.timeout(60):
        while cluster.changes.count(("patch", "RedisFailover", "redis")) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not judging.done()
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """A pod of the server."""
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "creationTimestamp": (NOW - timedelta(seconds=60)).isoformat(),
            "labels": {"pod-template-hash": "1"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "server-1"}],
        },
        "spec": spec,
        "status": {},
    }


def scale_up(name: str) -> dict[str, Any]:
    """The Event of an autoscaler that adds a node for a pod."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": "Pod", "name": name},
        "source": {"component": "cluster-autoscaler"},
        "reason": "TriggeredScaleUp",
        # An Event counts for a while only: not NOW, which may be long ago in a run of all tests.
        "lastTimestamp": datetime.now(UTC).isoformat(),
    }


def test_the_timeout_message_reports_a_node_that_is_still_being_added() -> None:
    rollout = RolloutTracker(FakeCluster(), (DEPLOYMENT,), Progress(), NOW)
    set_snapshot(
        rollout,
        pod("server-1"),
        pod("server-2", nodeName="one"),
        *(scale_up(name) for name in ("server-1", "server-2", "another")),
    )
    assert rollout.too_late(600).advice == (
        "A node was still being added for server-1: wait for it, then run the same command again; "
        "`vrooli deploy` and `vrooli rollback` wait longer with --timeout."
    )


def test_the_timeout_message_names_the_option_that_waits_longer() -> None:
    rollout = RolloutTracker(FakeCluster(), (DEPLOYMENT,), Progress(), NOW)
    set_snapshot(rollout, pod("server-1"))
    advice = rollout.too_late(600).advice
    assert advice.startswith("See `vrooli status`")
    assert "wait longer with --timeout" in advice


def test_the_time_of_a_pull_secret_is_only_known_if_it_was_missing_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = manifest.from_body(
        {
            "apiVersion": "secrets.hashicorp.com/v1beta1",
            "kind": "VaultStaticSecret",
            "metadata": {"name": "pull"},
            "spec": {"destination": {"name": "hub"}},
        },
        "here",
    )
    contexts: list[RolloutContext] = []

    def record(pods: object, now: object, context: RolloutContext) -> list[object]:
        contexts.append(context)
        return []

    monkeypatch.setattr(failure_history.failures, "find_failures", record)
    filled = {**secret.body, "status": {"secretMAC": "x"}}
    for first, is_late in ((secret.body, True), (filled, False)):
        rollout = RolloutTracker(FakeCluster(), (secret,), Progress(), NOW)
        for body in (first, filled, filled):
            set_snapshot(rollout, dict(body))
            rollout.current_failures()
        *_, second, third = (context.filled for context in contexts)
        assert ("hub" in third) is is_late
        assert second == third, "the time is that of its first appearance"


async def test_an_evaluation_that_takes_long_is_followed_by_a_longer_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = RolloutTracker(FakeCluster(), (DEPLOYMENT,), Progress(), NOW)
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for evaluated_s in (0.001, 0.2, 5.0):
        rollout._watcher.changed.set()
        rollout._evaluated_s = evaluated_s
        await rollout.change()
    assert pauses == pytest.approx([tracker.DEBOUNCE_S, 0.6, tracker.POLL_S])


def test_objects_are_evaluated_once_for_each_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = RolloutTracker(FakeCluster(), (DEPLOYMENT,), Progress(), NOW)
    evaluate, snapshots = tracker.readiness.unready_reasons, []

    def unready_reasons(manifests: list[Any], snapshot: Snapshot) -> dict[str, str]:
        snapshots.append(snapshot)
        return evaluate(manifests, snapshot)

    monkeypatch.setattr(tracker.readiness, "unready_reasons", unready_reasons)
    set_snapshot(rollout, dict(DEPLOYMENT.body))
    rollout.current_failures()
    assert rollout.unready()
    set_snapshot(rollout)
    assert rollout.unready() == {"Deployment/server": "it doesn't exist"}
    assert len(snapshots) == 2
