"""The lock of a release: its holder, renewal and takeover."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_failures import BROKEN, NEVER
from vrooli.errors import PrerequisiteError
from vrooli.events import Event, Progress
from vrooli.kube import ApiError
from vrooli.kube.api_errors import NoAnswerError
from vrooli.release import Release, lease, process_identity
from vrooli.release.lease import DURATION_S, Holder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _holder(age_s: float) -> Holder:
    renewed = NOW - timedelta(seconds=age_s)
    return Holder("bob@host, process 7", renewed - timedelta(seconds=60), renewed, DURATION_S)


@pytest.mark.parametrize(
    ("age_s", "stale"), [(0, False), (DURATION_S, False), (DURATION_S + 1, True)]
)
def test_a_holder_that_does_not_renew_is_stale(age_s: float, stale: bool) -> None:
    assert _holder(age_s).is_stale(NOW) is stale


def test_a_holder_is_formatted_with_its_times() -> None:
    message = _holder(5).format(NOW)
    assert message == "bob@host, process 7, since 65 s, last renewed 5 s ago"


RELEASE = Release("demo", "dev", Path("kubeconfig"))
NAME = lease.lease_name(RELEASE)


def _lease(seconds_ago: float, process: str = "") -> dict[str, Any]:
    """A Lease that another deploy renewed so long ago."""
    renewed = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
    return {
        "kind": "Lease",
        "metadata": {"name": NAME, "annotations": {lease.PROCESS: process}},
        "spec": {"holderIdentity": "bob@far", "acquireTime": renewed, "renewTime": renewed},
    }


def _cluster(*objects: dict[str, Any]) -> FakeCluster:
    return FakeCluster(namespace(), *objects)


def _writes(cluster: FakeCluster) -> list[str]:
    """The requests that create or renew the Lease."""
    return [verb for verb, kind, _ in cluster.changes if kind == "Lease" and verb != "delete"]


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewal and takeover take less than a second."""
    monkeypatch.setattr(lease, "RENEW_S", 0.02)
    monkeypatch.setattr(lease, "LISTEN_S", 0.1)


async def _hold(cluster: FakeCluster, in_delay: Callable[[], None] | None = None) -> None:
    """Hold the lock.

    Args:
        cluster: The cluster.
        in_delay: Called at the begin of the delay in which another holder may renew the lock.
    """

    def listen(event: Event) -> None:
        if in_delay and "is still alive" in str(event):
            in_delay()

    async with lease.hold(cluster, RELEASE, Progress("lock", listen)):
        holder = cluster.body("Lease", NAME)["spec"]["holderIdentity"]
        assert holder == process_identity.name()


@pytest.mark.usefixtures("short_intervals")
async def test_a_lock_whose_holder_has_a_late_clock_is_not_taken_over_while_it_renews() -> None:
    cluster = _cluster(_lease(100))
    with pytest.raises(PrerequisiteError, match="Another deploy of demo is running: bob@far"):
        await _hold(cluster, in_delay=lambda: cluster.add(_lease(95)))
    assert _writes(cluster) == []


@pytest.mark.usefixtures("short_intervals")
async def test_a_lock_that_is_not_renewed_is_taken_over_after_a_delay() -> None:
    cluster = _cluster(_lease(100))
    began = time.monotonic()
    await _hold(cluster)
    assert time.monotonic() - began >= lease.LISTEN_S
    assert _writes(cluster)[0] == "update"


@pytest.mark.usefixtures("short_intervals")
async def test_a_lease_that_is_deleted_during_the_delay_is_created_again() -> None:
    cluster = _cluster(_lease(100))
    await _hold(cluster, in_delay=lambda: cluster.remove("Lease", NAME))
    assert _writes(cluster) == ["create"]


async def test_the_lock_of_a_process_that_has_ended_is_taken_over_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_identity, "is_dead", lambda process: process == "gone")
    monkeypatch.setattr(lease, "LISTEN_S", 600.0)
    async with asyncio.timeout(60):
        await _hold(_cluster(_lease(1, "gone")))


@pytest.mark.usefixtures("short_intervals")
async def test_a_forbidden_renewal_ends_the_deploy_with_advice() -> None:
    cluster = _cluster()
    with pytest.raises(PrerequisiteError, match=r"can't be renewed.*may not put") as ended:
        async with lease.hold(cluster, RELEASE, Progress()):
            cluster.failures.forbid("update", "Lease", message="may not put")
            await asyncio.sleep(60)
    assert "update Leases in namespace dev" in ended.value.advice


@pytest.mark.usefixtures("short_intervals")
async def test_failed_renewals_are_retried() -> None:
    cluster = _cluster()
    async with lease.hold(cluster, RELEASE, Progress()):
        cluster.failures.add("update", "Lease", BROKEN, "no answer")
        await asyncio.sleep(0.1)
        renewed = cluster.body("Lease", NAME)["spec"]["renewTime"]
        cluster.failures.clear()
        async with asyncio.timeout(60):
            while cluster.body("Lease", NAME)["spec"]["renewTime"] <= renewed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("short_intervals")
async def test_a_deploy_that_can_not_renew_ends_though_its_lease_is_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "GIVE_UP_S", 0.2)
    cluster = _cluster()
    with pytest.raises(ApiError, match="too many"):
        async with lease.hold(cluster, RELEASE, Progress()):
            cluster.failures.add("update", "Lease", 429, "too many")
            await asyncio.sleep(60)


@pytest.mark.usefixtures("short_intervals")
async def test_a_deploy_that_gets_no_answer_ends_before_another_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "GIVE_UP_S", 0.2)
    monkeypatch.setattr(lease, "ATTEMPT_S", 0.05)
    cluster = _cluster()
    with pytest.raises(NoAnswerError, match="could not be renewed") as failure:
        async with lease.hold(cluster, RELEASE, Progress()):
            cluster.failures.add("get", "Lease", NEVER)
            await asyncio.sleep(60)
    assert failure.value.is_outage


@pytest.mark.usefixtures("short_intervals")
async def test_a_late_response_to_a_renewal_does_not_extend_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others count from the time that was written."""
    cluster, clock_s = _cluster(), [0.0]
    replace = cluster.replace

    async def replace_slowly(body: Any) -> Any:
        await replace(body)
        clock_s[0] += lease.GIVE_UP_S + 1
        cluster.failures.add("get", "Lease", BROKEN, "no answer")

    monkeypatch.setattr(lease, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))
    monkeypatch.setattr(cluster, "replace", replace_slowly)
    with pytest.raises(NoAnswerError, match="could not be renewed"):
        async with lease.hold(cluster, RELEASE, Progress()), asyncio.timeout(10):
            await asyncio.Event().wait()


def test_the_holder_gives_up_before_another_takes_over() -> None:
    assert lease.GIVE_UP_S >= lease.DURATION_S
    last_s = lease.GIVE_UP_S + lease.RENEW_S + lease.ATTEMPT_S
    assert last_s < lease.DURATION_S + lease.LISTEN_S


@pytest.mark.usefixtures("short_intervals")
async def test_a_deploy_whose_lease_is_deleted_ends() -> None:
    cluster = _cluster()
    with pytest.raises(PrerequisiteError, match="took over the lock of demo: its Lease is gone"):
        async with lease.hold(cluster, RELEASE, Progress()):
            cluster.remove("Lease", NAME)
            await asyncio.sleep(60)
