"""What following a release does while no API server answers, and what it tells at its limit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from vrooli.chart import manifest
from vrooli.events import Progress
from vrooli.kube import Kube, NoAnswerError
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout import tracker
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


class UnavailableCluster:
    """A client whose API server answers no change."""

    def __init__(self) -> None:
        self.asked = 0

    async def patch(self, *_: object) -> None:
        """Get no answer."""
        self.asked += 1
        raise NoAnswerError("no answer")


def show(follower: RolloutTracker, *bodies: dict[str, Any]) -> None:
    """Let it see these objects."""
    follower._watcher._snapshot = Snapshot.of(bodies)


async def test_triggering_an_operator_may_fail_while_the_api_server_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker, "POLL_S", 0.01)
    monkeypatch.setattr(tracker, "DEBOUNCE_S", 0.0)
    monkeypatch.setattr("vrooli.release.rollout.redis_reconcile.PAUSE_S", 0.0)
    kube = UnavailableCluster()
    follower = RolloutTracker(cast(Kube, kube), (REDIS,), Progress("healthy", lambda _: None), NOW)
    show(follower, {**REDIS.body, "kind": "RedisFailover"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await follower.judge()
    assert kube.asked > 1


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
    """An autoscaler's word that a node is being made for a pod."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": "Pod", "name": name},
        "source": {"component": "cluster-autoscaler"},
        "reason": "TriggeredScaleUp",
        "lastTimestamp": NOW.isoformat(),
    }


def test_at_the_limit_a_node_that_is_still_being_added_is_reported() -> None:
    follower = RolloutTracker(cast(Kube, None), (DEPLOYMENT,), Progress(), NOW)
    show(
        follower,
        pod("server-1"),
        pod("server-2", nodeName="one"),
        *(scale_up(name) for name in ("server-1", "server-2", "another")),
    )
    assert follower.too_late(600).advice == (
        "A node was still being added for server-1: wait for it, then run the same command again; "
        "`vrooli deploy` and `vrooli rollback` wait longer with --timeout."
    )


def test_at_the_limit_the_option_that_waits_longer_is_named() -> None:
    follower = RolloutTracker(cast(Kube, None), (DEPLOYMENT,), Progress(), NOW)
    show(follower, pod("server-1"))
    advice = follower.too_late(600).advice
    assert advice.startswith("See `vrooli status`")
    assert "wait longer with --timeout" in advice


def test_a_pull_secret_that_was_awaited_is_certain_to_have_arrived_late(
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
    scenes: list[RolloutContext] = []
    monkeypatch.setattr(
        tracker.failures, "find_failures", lambda *changes_: scenes.append(changes_[2]) or []
    )
    filled = {**secret.body, "status": {"secretMAC": "x"}}
    for first, is_late in ((secret.body, True), (filled, False)):
        follower = RolloutTracker(cast(Kube, None), (secret,), Progress(), NOW)
        for body in (first, filled, filled):
            show(follower, dict(body))
            follower.current_failures()
        *_, came, last = (context_.filled for context_ in scenes)
        assert ("hub" in last) is is_late
        assert came == last, "it stays the time at which it was there first"
