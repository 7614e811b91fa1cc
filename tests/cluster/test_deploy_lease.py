"""One deploy of a release at a time, on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from vrooli.errors import PrerequisiteError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.kube import Kube
from vrooli.release import Release, lease

QUIET = Progress()
NUMBERS = count()


@pytest.fixture
async def release(bare_kube: Kube, bare_kubeconfig: Path) -> AsyncIterator[Release]:
    """A release in a namespace of its own."""
    name = f"lease-{next(NUMBERS)}"
    await bare_kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield Release("demo", name, bare_kubeconfig)


async def test_nobody_holds_a_release_before_and_after(bare_kube: Kube, release: Release) -> None:
    assert await lease.fetch_holder(bare_kube, release) is None
    async with lease.hold(bare_kube, release, QUIET):
        held = await lease.fetch_holder(bare_kube, release)
        assert held is not None
        assert "process" in held.name
    assert await lease.fetch_holder(bare_kube, release) is None


async def test_a_second_deploy_is_refused_with_the_firsts_owner_and_age(
    bare_kube: Kube, release: Release
) -> None:
    async with lease.hold(bare_kube, release, QUIET):
        with pytest.raises(PrerequisiteError, match=r"Another deploy .*process \d+, since"):
            await lease.demand_free(bare_kube, release)
        with pytest.raises(PrerequisiteError, match="Another deploy"):
            async with lease.hold(bare_kube, release, QUIET):
                pytest.fail("two hold it")


async def test_of_two_that_begin_at_once_one_wins(bare_kube: Kube, release: Release) -> None:
    refusals, are_refused = 0, asyncio.Event()

    async def hold() -> str:
        nonlocal refusals
        try:
            async with lease.hold(bare_kube, release, QUIET), asyncio.timeout(60):
                await are_refused.wait()
        except PrerequisiteError:
            refusals += 1
            if refusals == 2:
                are_refused.set()
            return "refused"
        return "held"

    assert sorted(await asyncio.gather(hold(), hold(), hold())) == ["held", "refused", "refused"]


async def test_a_holder_that_has_died_is_taken_over_and_told_of(
    bare_kube: Kube, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LISTEN_S", 0.5)
    said: list[Event] = []
    spec = {
        "holderIdentity": "bob@gone, process 7",
        "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:01:00.000000Z",
    }
    metadata = {"name": lease.lease_name(release), "namespace": release.namespace}
    left = {"apiVersion": lease.API, "kind": lease.KIND, "metadata": metadata, "spec": spec}
    await bare_kube.create(left, release.namespace)
    await lease.demand_free(bare_kube, release)
    async with lease.hold(bare_kube, release, Progress("release", said.append)):
        held = await lease.fetch_holder(bare_kube, release)
        assert held is not None
        assert held.name != "bob@gone, process 7"
    told = [event.detail for event in said if isinstance(event, StepProgressed)]
    assert any("takes over from bob@gone" in line for line in told)


async def test_a_holder_whose_clock_is_late_is_left_alone_while_it_renews(
    bare_kube: Kube, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LISTEN_S", 5.0)
    listens = asyncio.Event()
    name = lease.lease_name(release)
    spec = {"holderIdentity": "bob@late", "renewTime": "2026-01-01T00:01:00.000000Z"}
    metadata = {"name": name, "namespace": release.namespace}
    late = {"apiVersion": lease.API, "kind": lease.KIND, "metadata": metadata, "spec": spec}
    await bare_kube.create(late, release.namespace)

    async def hold() -> None:
        async with lease.hold(bare_kube, release, Progress("release", lambda _: listens.set())):
            pytest.fail("two hold it")

    waiting = asyncio.create_task(hold())
    await asyncio.wait_for(listens.wait(), 60)
    change = {"spec": {"renewTime": "2026-01-01T00:01:10.000000Z"}}
    await bare_kube.patch(lease.API, lease.KIND, name, release.namespace, change)
    with pytest.raises(PrerequisiteError, match="Another deploy of demo is running: bob@late"):
        await waiting


async def test_a_holder_renews_and_ends_when_another_took_it(
    bare_kube: Kube, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_S", 0.2)
    with pytest.raises(PrerequisiteError, match="took over the lock of demo: thief"):
        async with lease.hold(bare_kube, release, QUIET):
            first = await lease.fetch_holder(bare_kube, release)
            assert first is not None
            async with asyncio.timeout(60):
                while (second := await lease.fetch_holder(bare_kube, release)) == first:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert second is not None
            assert second.renewed > first.renewed
            assert second.since == first.since
            change = {"spec": {"holderIdentity": "thief"}}
            name = lease.lease_name(release)
            await bare_kube.patch(lease.API, lease.KIND, name, release.namespace, change)
            await asyncio.sleep(60)
