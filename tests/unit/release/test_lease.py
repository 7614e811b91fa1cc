"""Who holds a release, and whether it still lives."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.release import Release, lease, process_identity
from vrooli.release.lease import DURATION_S, Holder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _holder(silent_s: float) -> Holder:
    sign = NOW - timedelta(seconds=silent_s)
    return Holder("bob@host, process 7", sign - timedelta(seconds=60), sign, DURATION_S)


@pytest.mark.parametrize(
    ("silent_s", "stale"), [(0, False), (DURATION_S, False), (DURATION_S + 1, True)]
)
def test_a_holder_that_gives_no_sign_of_life_is_used_for_dead(silent_s: float, stale: bool) -> None:
    assert _holder(silent_s).is_stale(NOW) is stale


def test_a_message_reports_who_since_when_and_the_last_sign() -> None:
    message = _holder(5).format(NOW)
    assert message == "bob@host, process 7, since 65 s, last renewed 5 s ago"


RELEASE = Release("demo", "dev", Path("kubeconfig"))


class Cluster:
    """An API server that keeps one Lease and refuses what it is told to."""

    def __init__(self, lease: dict[str, Any] | None = None) -> None:
        self.lease = lease
        self.refusal: VrooliError | None = None
        self.made: list[dict[str, Any]] = []

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        return {} if kind == "Namespace" else copy.deepcopy(self.lease)

    async def create(self, body: Mapping[str, Any], namespace: str) -> None:
        if self.lease is not None:
            raise ApiError("create Lease", 409, "there is one")
        await self.replace(body)

    async def replace(self, body: Mapping[str, Any]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.lease = copy.deepcopy(dict(body))
        self.lease["metadata"]["resourceVersion"] = str(len(self.made))
        self.made.append(self.lease)

    async def delete(self, *words: str) -> None:
        self.lease = None

    @property
    def kube(self) -> Kube:
        return cast(Kube, self)


def _fetch_stale(seconds_ago: float, process: str = "") -> dict[str, Any]:
    sign = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
    return {
        "metadata": {
            "name": "demo-deploy",
            "namespace": "dev",
            "resourceVersion": "7",
            "annotations": {lease.PROCESS: process},
        },
        "spec": {"holderIdentity": "bob@far", "acquireTime": sign, "renewTime": sign},
    }


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renews, and listens, for less than a second."""
    monkeypatch.setattr(lease, "RENEW_S", 0.02)
    monkeypatch.setattr(lease, "LISTEN_S", 0.1)


async def _hold(cluster: Cluster, seconds: float = 0.0) -> None:
    async with lease.hold(cluster.kube, RELEASE, Progress()):
        await asyncio.sleep(seconds)


@pytest.mark.usefixtures("hurry")
async def test_a_holder_whose_clock_is_late_is_not_adopted_while_it_renews() -> None:
    cluster = Cluster(_fetch_stale(100))
    waiting = asyncio.create_task(_hold(cluster))
    await asyncio.sleep(0.05)
    cluster.lease = _fetch_stale(95)
    with pytest.raises(PrerequisiteError, match="Another deploy of demo is running: bob@far"):
        await waiting
    assert cluster.made == []


@pytest.mark.usefixtures("hurry")
async def test_a_holder_that_stays_silent_is_adopted_after_a_while() -> None:
    cluster = Cluster(_fetch_stale(100))
    began = time.monotonic()
    await _hold(cluster)
    assert time.monotonic() - began >= lease.LISTEN_S
    assert cluster.made[0]["spec"]["holderIdentity"] == process_identity.name()


@pytest.mark.usefixtures("hurry")
async def test_a_lease_that_went_unreachable_while_it_was_read_is_made_anew() -> None:
    cluster = Cluster(_fetch_stale(100))
    waiting = asyncio.create_task(_hold(cluster))
    await asyncio.sleep(0.05)
    cluster.lease = None
    await waiting
    assert len(cluster.made) == 1


async def test_a_holder_whose_process_has_ended_is_adopted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_identity, "is_dead", lambda process: process == "gone")
    async with asyncio.timeout(1):
        await _hold(Cluster(_fetch_stale(1, "gone")))


@pytest.mark.usefixtures("hurry")
async def test_a_refused_renewal_ends_the_deploy_with_words() -> None:
    cluster = Cluster()
    with pytest.raises(PrerequisiteError, match=r"can't be renewed.*may not put") as ended:
        async with lease.hold(cluster.kube, RELEASE, Progress()):
            cluster.refusal = ApiError("change Lease demo-deploy", 403, "may not put")
            await asyncio.sleep(5)
    assert "update Leases in namespace dev" in ended.value.advice


@pytest.mark.usefixtures("hurry")
async def test_renewals_that_fail_for_a_moment_are_tried_again() -> None:
    cluster = Cluster()
    async with lease.hold(cluster.kube, RELEASE, Progress()):
        cluster.refusal = PrerequisiteError("no answer")
        await asyncio.sleep(0.1)
        before, cluster.refusal = len(cluster.made), None
        await asyncio.sleep(0.1)
        assert len(cluster.made) > before


@pytest.mark.usefixtures("hurry")
async def test_a_deploy_that_can_not_renew_ends_though_its_lease_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "DURATION_S", 0.2)
    cluster = Cluster()
    with pytest.raises(ApiError, match="too many"):
        async with lease.hold(cluster.kube, RELEASE, Progress()):
            cluster.refusal = ApiError("change Lease demo-deploy", 429, "too many")
            await asyncio.sleep(5)


@pytest.mark.usefixtures("hurry")
async def test_a_deploy_whose_lease_is_deleted_ends() -> None:
    cluster = Cluster()
    with pytest.raises(PrerequisiteError, match="took over the lock of demo: its Lease is gone"):
        async with lease.hold(cluster.kube, RELEASE, Progress()):
            cluster.lease = None
            await asyncio.sleep(5)
