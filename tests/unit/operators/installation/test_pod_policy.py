"""A policy for pods does not prevent the installation of its operator."""

from __future__ import annotations

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.errors import VrooliError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.operators.installation import pod_policy
from vrooli.operators.redis.probes import POLICY

KIND = "MutatingAdmissionPolicy"


async def test_a_policy_is_applied() -> None:
    cluster = FakeCluster()
    await pod_policy.apply(POLICY, cluster, Progress())
    assert await pod_policy.is_applied(POLICY, cluster)


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "this kubeconfig may not"), (404, "this Kubernetes cannot")]
)
async def test_without_the_policy_the_operator_is_installed(status: int, reason: str) -> None:
    cluster, events = FakeCluster(), list[Event]()
    cluster.failures.add("apply", KIND, status)
    await pod_policy.apply(POLICY, cluster, Progress("redis-operator", events.append))
    assert not await pod_policy.is_applied(POLICY, cluster)
    (event,) = events
    assert isinstance(event, StepProgressed)
    assert event.detail == f"{reason} {POLICY.purpose}"


async def test_another_error_ends_the_installation() -> None:
    cluster = FakeCluster()
    cluster.failures.add("apply", KIND, 500)
    with pytest.raises(VrooliError):
        await pod_policy.apply(POLICY, cluster, Progress())
