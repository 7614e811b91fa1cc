"""A command that changes something waits for an API server that is gone for a while."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_api import Request
from support.release.database_pods import output
from vrooli.kube import ApiError, patience
from vrooli.kube.api_errors import ConnectionLostError, NoAnswerError
from vrooli.kube.execution import Completed, Program

pytestmark = pytest.mark.anyio

SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {}}
PROGRAM = Program("dev", "pod", "main", ["true"])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster whose client does not pause."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    fake = FakeCluster(namespace("dev"))
    fake.server.programs.handlers["dev", "pod", "main"] = _run
    return fake


def _run(_: Program) -> Completed:
    return output("done")


async def test_requests_go_on_when_the_server_is_back(cluster: FakeCluster) -> None:
    with cluster.patient():
        cluster.server.outage.left = 5
        await cluster.create(SETTINGS, "dev")
        cluster.server.outage.left = 5
        assert await cluster.get("v1", "ConfigMap", "x", "dev") is not None
        cluster.server.outage.left = 5
        assert (await cluster.run_program(PROGRAM)).stdout == "done"
    assert cluster.server.outage.refused == 15


async def test_without_patience_a_request_fails_at_once(cluster: FakeCluster) -> None:
    with cluster.patient():
        pass
    cluster.server.outage.left = 1
    with pytest.raises(NoAnswerError):
        await cluster.get("v1", "ConfigMap", "x", "dev")
    assert cluster.server.outage.refused == 1


async def test_the_patience_ends(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "OUTAGE_S", 0.05)
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)
    cluster.server.outage.left = cluster.server.outage.ALL
    with cluster.patient(), pytest.raises(NoAnswerError):
        await cluster.get("v1", "ConfigMap", "x", "dev")
    with cluster.patient(), pytest.raises(ConnectionLostError):
        await cluster.run_program(PROGRAM)


async def test_one_slow_failure_does_not_use_up_the_patience(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "OUTAGE_S", 0.01)
    attempts: list[int] = []

    async def attempt() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            await asyncio.sleep(0.02)
            raise NoAnswerError("no answer")
        return "answer"

    with cluster.patient():
        assert await cluster._patience.repeat(attempt, lambda _: True) == "answer"


async def test_a_server_that_starts_is_asked_again(cluster: FakeCluster) -> None:
    cluster.add(SETTINGS)
    cluster.failures.add("get", "ConfigMap", 503, times=3)
    with cluster.patient():
        assert await cluster.get("v1", "ConfigMap", "x", "dev") is not None
        cluster.failures.add("create", "ConfigMap", 503, times=1)
        with pytest.raises(ApiError):  # it may have been created
            await cluster.create(SETTINGS, "dev")


@pytest.mark.parametrize("has_uid", [True, False])
async def test_a_repeated_deletion_with_a_uid_keeps_a_new_object(
    cluster: FakeCluster, has_uid: bool
) -> None:
    def lose_answer(request: Request) -> None:
        """Delete the object, of which somebody makes a new one before the answer is lost."""
        if request.verb == "delete":
            cluster.server.on_request = lambda _: None
            cluster.add(_settings("new"))
            raise httpx.ReadError("broken connection")

    cluster.add(_settings("old"))
    cluster.server.on_request = lose_answer
    with cluster.patient():
        uid = "old" if has_uid else ""
        assert await cluster.delete("v1", "ConfigMap", "x", "dev", uid=uid) is not has_uid
    assert (await cluster.get("v1", "ConfigMap", "x", "dev") is not None) is has_uid


async def test_a_conflict_of_a_deletion_of_the_same_object_is_an_error(
    cluster: FakeCluster,
) -> None:
    cluster.add(_settings("old"))
    cluster.failures.add("delete", "ConfigMap", 409, times=1)
    with pytest.raises(ApiError):
        await cluster.delete("v1", "ConfigMap", "x", "dev", uid="old")


def _settings(uid: str) -> dict[str, Any]:
    return {**SETTINGS, "metadata": {"name": "x", "namespace": "dev", "uid": uid}}


async def test_a_program_that_has_started_is_not_started_again(cluster: FakeCluster) -> None:
    cluster.server.programs.lost = [3]
    with cluster.patient(), pytest.raises(ConnectionLostError) as failure:
        await cluster.run_program(PROGRAM)
    assert failure.value.is_started
    assert failure.value.is_outage
    assert len(cluster.server.programs.ran) == 1


async def test_a_request_that_is_refused_for_now_is_made_again(cluster: FakeCluster) -> None:
    cluster.add(_settings("old"))
    cluster.failures.add("list", "ConfigMap", 429, "initializing", times=3, retry_after_s=0)
    assert len(await cluster.list("v1", "ConfigMap", "dev")) == 1


@pytest.mark.parametrize(("delay_s", "times"), [(None, 1), (6, 1), (0, 10)])
async def test_a_refusal_without_an_early_end_is_an_error(
    cluster: FakeCluster, delay_s: int | None, times: int
) -> None:
    cluster.failures.add("list", "ConfigMap", 429, "busy", times=times, retry_after_s=delay_s)
    with pytest.raises(ApiError, match="busy"):
        await cluster.list("v1", "ConfigMap", "dev")
