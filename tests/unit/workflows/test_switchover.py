"""The command switchover: its confirmation, its lock, and its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_failures import Outage
from vrooli.databases.model import Plan, Switched
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.kube import patience
from vrooli.release.lease import API, KIND
from vrooli.workflows import switchover as workflow
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.results.databases import SwitchoverResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent
from vrooli.workflows.switchover import Database, SwitchoverOptions, _Acts

PROD = ENVIRONMENTS["prod"]


class Site:
    """A release whose switchover is recorded together with the lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
        self.cluster = FakeCluster(namespace("production"), namespace="production")
        self.plan, self.acts = plan, list[str]()

        @asynccontextmanager
        async def connect(text: str | None) -> AsyncIterator[Access]:
            reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
            yield Access(cast(Any, None), cast(Any, reached), self.cluster)

        async def acts(*_: object) -> _Acts:
            return _Acts(self._plan, self._switch_over, self._follow)

        monkeypatch.setattr(access, "connect", connect)
        monkeypatch.setattr(workflow, "_acts", acts)

    def run(self, consent: Consent = CONFIRMED) -> SwitchoverResult:
        options = SwitchoverOptions(PROD, Database.POSTGRES, "pg-b-0")
        return asyncio.run(workflow.switchover(options, silent, consent))

    async def _plan(self, to: str, progress: Progress) -> Plan:
        self.acts.append(f"plan {to}")
        return self.plan

    async def _switch_over(self, plan: Plan, progress: Progress) -> Switched:
        lock = self.cluster.find("Lease", "vrooli-prod-deploy")
        self.acts.append(f"switch over to {plan.target}, {'locked' if lock else 'unlocked'}")
        return Switched(plan.target, 1.25)

    async def _follow(self, pod: str, progress: Progress) -> None:
        self.acts.append(f"follow {pod}")


def test_a_switchover_is_planned_again_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, Plan("pg-a-0", "pg-b-0"))
    result = site.run()
    assert site.acts == [
        "plan pg-b-0",
        "plan pg-b-0",
        "switch over to pg-b-0, locked",
        "follow pg-b-0",
    ]
    assert (result.previous, result.current, result.pause_s) == ("pg-a-0", "pg-b-0", 1.25)
    assert result.changed
    assert site.cluster.find("Lease", "vrooli-prod-deploy") is None


def test_a_pod_that_accepts_the_writes_already_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(monkeypatch, Plan("pg-b-0", "pg-b-0"))
    result = site.run(Consent())
    assert (result.current, result.changed, result.pause_s) == ("pg-b-0", False, 0.0)
    assert site.acts == ["plan pg-b-0"]


def test_a_pod_that_accepts_the_writes_since_the_check_is_not_switched_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(monkeypatch, Plan("pg-a-0", "pg-b-0"))
    plans = [Plan("pg-a-0", "pg-b-0"), Plan("pg-b-0", "pg-b-0")]

    async def plan(to: str, progress: Progress) -> Plan:
        return plans.pop(0)

    monkeypatch.setattr(site, "_plan", plan)
    result = site.run()
    assert (result.current, result.changed, site.acts) == ("pg-b-0", False, ["follow pg-b-0"])


def test_without_confirmation_nothing_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    site, prompts = Site(monkeypatch, Plan("pg-a-0", "pg-b-0")), list[str]()
    with pytest.raises(UsageError):
        site.run(Consent())
    with pytest.raises(InterruptError):
        site.run(Consent(ask=prompts.append))  # type: ignore[arg-type]
    assert prompts == [
        "Switch postgres of vrooli-prod over from pg-a-0 to pg-b-0; writes pause for some seconds?"
    ]
    assert site.acts == ["plan pg-b-0", "plan pg-b-0"]
    assert site.cluster.changes == []


def test_during_a_deploy_nothing_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch, Plan("pg-a-0", "pg-b-0"))
    spec = {"holderIdentity": "somebody", "renewTime": "2099-01-01T00:00:00.000000Z"}
    metadata = {"name": "vrooli-prod-deploy", "creationTimestamp": "2026-01-01T00:00:00Z"}
    site.cluster.add({"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": spec})
    with pytest.raises(PrerequisiteError, match="somebody"):
        site.run()
    assert site.acts == []


@pytest.mark.parametrize("verb", ["switch over", "follow"])
def test_a_switchover_goes_on_when_the_api_server_is_back(
    monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    site = _site_that_loses_its_server(monkeypatch, verb, 5)
    assert site.run().current == "pg-b-0"
    assert site.cluster.server.outage.refused == 5


def test_a_switchover_without_an_api_server_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    monkeypatch.setattr(patience, "OUTAGE_S", 0.05)
    site = _site_that_loses_its_server(monkeypatch, "follow", Outage.ALL)
    reason = "Done: Replicas in sync, Switchover. Interrupted: Replicas of the new pod; what"
    with pytest.raises(VrooliError, match=reason) as failure:
        site.run()
    assert "run the same command again: it shows the result" in failure.value.advice


def _site_that_loses_its_server(monkeypatch: pytest.MonkeyPatch, verb: str, refused: int) -> Site:
    """A release whose API server is gone in the middle, for some connections."""
    site = Site(monkeypatch, Plan("pg-a-0", "pg-b-0"))
    name = "_switch_over" if verb == "switch over" else "_follow"
    act = getattr(site, name)

    async def lose(*arguments: object) -> object:
        site.cluster.server.outage.left = refused
        await site.cluster.get("v1", "Namespace", "production")
        return await act(*arguments)

    monkeypatch.setattr(site, name, lose)
    return site
