"""Who isn't let into pods is told so; nobody behind a closed way is blamed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any

import pytest

from support.diagnosis.evidence import DEV, diagnosed, evidence, operators, pod, pod_of, vault
from vrooli.diagnosis.evidence.collection import access, collect
from vrooli.diagnosis.evidence.collection.collector import Collector
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import PROBES, vault_health
from vrooli.kube import RequestBudget
from vrooli.kube.fetch import Fetcher
from vrooli.operators.redis.names import FAILOVER_LABEL

CONNECTION = {
    "kind": "VaultConnection",
    "metadata": {"name": "v", "namespace": DEV.namespace},
    "spec": {"address": "http://vault.vault.svc:8200"},
}
FAILOVER = {
    "kind": "RedisFailover",
    "metadata": {"name": "vrooli-rf", "namespace": DEV.namespace},
    "spec": {"redis": {}, "sentinel": {}},
}
EVERY = {
    (access.EXEC, DEV.namespace): "no permission to run programs in pods (pods/exec)",
    (access.FORWARD, "vault"): "no permission to forward ports of pods (pods/portforward)",
}


class ReaderOnly:
    """A cluster that lets its reader take some ways only, and into no pod by any."""

    def __init__(self, allowed: Collection[tuple[str, str]] = ()) -> None:
        self.allowed = allowed
        self.asked: list[tuple[str, str, str]] = []

    async def may(
        self, verb: str, api_version: str, kind: str, namespace: str, *, subresource: str
    ) -> bool:
        assert (api_version, kind) == ("v1", "Pod")
        self.asked.append((verb, subresource, namespace))
        return (subresource, namespace) in self.allowed

    async def logs(self, *words: Any, **settings: Any) -> AsyncIterator[str]:
        yield "a line"

    async def exec(self, *words: Any) -> str:
        raise AssertionError(f"runs {words}")

    async def port_forward(self, *words: Any) -> Any:
        raise AssertionError(f"forwards {words}")


def seen() -> Evidence:
    redis = pod("rfr-vrooli-rf-0", labels={FAILOVER_LABEL: "vrooli-rf"}, container="redis")
    service = {**vault(), "spec": {"selector": {"app": "vault"}}}
    of_vault = pod("vault-0", namespace="vault", labels={"app": "vault"}, container="vault")
    server = pod_of(f"{DEV.release}-server")
    return evidence(CONNECTION, service, of_vault, redis, FAILOVER, server, *operators())


@pytest.mark.anyio
async def test_each_way_is_asked_about_once_for_each_namespace() -> None:
    kube = ReaderOnly()
    found = await access.closed(kube, seen(), Fetcher(), RequestBudget(5))  # type: ignore[arg-type]
    assert set(found) == {*EVERY, (access.FORWARD, DEV.namespace)}
    assert len(kube.asked) == len(set(kube.asked)) == len(access.VERBS) * len(found)


@pytest.mark.anyio
@pytest.mark.parametrize("turns", range(5))
async def test_cancelled_check_leaves_no_coroutine_unawaited(turns: int) -> None:
    """Ctrl-C comes at any turn of the loop, also before the tasks of this check have begun."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        check = access.closed(ReaderOnly(), seen(), Fetcher(), RequestBudget(5))  # type: ignore[arg-type]
        task = asyncio.ensure_future(check)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        gc.collect()
    assert [str(item.message) for item in warned] == []


@pytest.mark.anyio
async def test_who_may_only_get_is_not_let_in() -> None:
    """A web socket begins with a GET; since 1.35 the right to create is wanted, too."""

    class MayGet(ReaderOnly):
        async def may(self, verb: str, *words: Any, **settings: Any) -> bool:
            return verb == "get"

    found = await access.closed(MayGet(), seen(), Fetcher(), RequestBudget(5))  # type: ignore[arg-type]
    assert set(found) >= set(EVERY)


@pytest.mark.anyio
@pytest.mark.parametrize("name", PROBES)
async def test_no_question_takes_a_closed_way(name: str) -> None:
    closed = await access.closed(ReaderOnly(), seen(), Fetcher(), RequestBudget(5))  # type: ignore[arg-type]
    answers = await PROBES[name](ReaderOnly(), replace(seen(), closed=closed))  # type: ignore[arg-type]
    assert list(answers) == []


def test_what_is_behind_a_closed_way_is_said_and_blamed_for_nothing() -> None:
    refused = replace(
        seen(), closed=EVERY, unavailable=tuple(access.unavailable(replace(seen(), closed=EVERY)))
    )
    said = diagnosed(refused)
    assert "vault-unreachable" not in {cause.finding.rule_id for cause in said.causes}
    inside, of_vault = said.unavailable
    assert inside.resource == "Redis and connectivity and DNS of pods in dev"
    assert "pods/exec" in inside.reason
    assert (of_vault.resource, "pods/portforward" in of_vault.reason) == ("Vault in vault", True)


@pytest.mark.anyio
async def test_a_vault_without_a_pod_is_told_of_without_any_right() -> None:
    closed = replace(seen(), closed=EVERY, objects={**seen().objects, "Pod": []})
    (answer,) = await vault_health.run(ReaderOnly(), closed)  # type: ignore[arg-type]
    assert (answer.ok, answer.text) == (False, "it has no running pod")


@pytest.mark.anyio
async def test_a_look_asks_for_the_rights_and_says_what_it_lacks() -> None:
    kube = ReaderOnly()
    look = Collector(kube=kube, release=None)  # type: ignore[arg-type]
    found = await collect._fetch_rest(look, seen())
    assert [item.resource for item in found.unavailable if "Redis" in item.resource]
    assert not [item for item in found.answers if not item.ok]


def test_a_vault_that_is_no_service_of_the_cluster_is_said_not_to_be_seen() -> None:
    elsewhere = {**CONNECTION, "spec": {"address": "https://who:secret@vault.example.com:8200"}}
    (found,) = access.unavailable(evidence(elsewhere))
    assert found.resource == "Vault at vault.example.com"


@pytest.mark.parametrize("odd", [None, 7, "http://[", "vault", "http://x:99999999", []])
def test_an_address_that_is_none_stops_nothing(odd: Any) -> None:
    looked = evidence({**CONNECTION, "spec": {"address": odd}})
    assert access.needed(looked) == {}
    assert not diagnosed(replace(looked, unavailable=tuple(access.unavailable(looked)))).causes


def test_who_may_do_all_misses_nothing() -> None:
    assert access.unavailable(seen()) == []
