"""What status says of each part, and that one part that can't be seen never hides another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.release.records import record
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.cluster.interface import ClusterStatus, ComponentStatus
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError
from vrooli.events import silent
from vrooli.findings import Verdict
from vrooli.kube import ApiError
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OperatorStatus
from vrooli.operators.model import State
from vrooli.redaction import Redactor
from vrooli.release.model import Revision
from vrooli.release.records.metadata import End, RevisionMetadata
from vrooli.release.rollout import operator_logs
from vrooli.vault.server import VaultStatus
from vrooli.workflows import status as module
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.results.status import StatusResult

SECRET = manifest.from_body(
    {"apiVersion": "v1", "kind": "VaultStaticSecret", "metadata": {"name": "creds"}}, "dev"
)
READY_SECRET = {
    "kind": "VaultStaticSecret",
    "metadata": {"name": "creds", "generation": 1},
    "spec": {"destination": {"name": "creds"}},
    "status": {"secretMAC": "x", "lastGeneration": 1},
}


class FakeCluster:
    """A cluster in a given state."""

    name, kind, kubeconfig = "x", "embedded", Path("/kubeconfig")

    def __init__(self, state: str, *components: ComponentStatus) -> None:
        self._status = ClusterStatus("x", "embedded", state, "v1.37.2", components)

    async def status(self) -> ClusterStatus:
        return self._status

    def urls(self) -> dict[str, str]:
        return {"http": "http://127.0.0.1:1", "api": "https://127.0.0.1:2"}


class FakeKube:
    """A client that nobody may ask anything: the rooms stand in for what they would read."""

    async def __aenter__(self) -> FakeKube:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


def _gives(value: Any) -> Callable[..., Awaitable[Any]]:
    async def give(*_: Any) -> Any:
        if isinstance(value, list) and value:
            raise value.pop()
        if isinstance(value, list):
            return _operator()
        if isinstance(value, Exception):
            raise value
        return value

    return give


def _operator(state: State = State.READY, detail: str = "") -> OperatorStatus:
    return OperatorStatus("pgo", "postgres-operator", state, "5.4", "go-module", detail)


REVISION = Revision(3, "deployed", "vrooli-0.1.0", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def run_status(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StatusResult]:
    """Run status where every part is healthy but for what is given."""

    def run(
        *,
        cluster: FakeCluster | None = None,
        operator: OperatorStatus | Exception | list[Exception] | None = None,
        vault: VaultStatus | Exception | None = None,
        revision: Revision | Exception | None = REVISION,
        secret: dict[str, Any] | None = None,
        wanted: tuple[Manifest, ...] = (SECRET,),
        kube: FakeKube | Exception | None = None,
        environment: str = "dev",
        end: End = End.READY,
        unavailable: tuple[Unavailable, ...] = (),
    ) -> StatusResult:
        stored = RevisionMetadata(end=end)
        found = cluster or FakeCluster("running")
        seen = Snapshot.of([secret or READY_SECRET])
        for place, value in {
            "access.find": (Choice("embedded", "x"), found),
            "Kube.connect": kube or FakeKube(),
            "operators.status": operator or _operator(),
            "vault.status": vault or VaultStatus("ready", "2.7.2"),
            "storage.fetch_record": (
                replace(record(3, objects=wanted, stored=stored), revision=revision)
                if isinstance(revision, Revision)
                else revision
            ),
            "queries.fetch_release_snapshot": seen,
            "operator_logs.read": operator_logs.Reading({}, unavailable),
            "secret_redaction.redactor": Redactor(),
        }.items():
            owner, _, name = place.partition(".")
            monkeypatch.setattr(getattr(module, owner), name, _gives(value))
        return asyncio.run(module.status(ENVIRONMENTS[environment], None, silent))

    return run


Look = Callable[..., StatusResult]


def test_all_healthy_reports_what_runs_and_where_to_look(run_status: Look) -> None:
    result = run_status()
    assert result.ok
    assert result.problems == ()
    assert [(item.version, item.source) for item in result.operators] == [("5.4", "go-module")] * 3
    assert result.release is not None
    assert (result.release.status, result.release.revision) == ("deployed", 3)
    assert [(item.name, item.ready) for item in result.workloads] == [("creds", True)]
    assert result.urls["ui"] == "http://127.0.0.1:1"


def test_a_release_is_not_healthy_to_who_may_not_read_the_operators_logs(run_status: Look) -> None:
    result = run_status(unavailable=(Unavailable("the log of PGO", "no", "ask for it"),))
    assert result.verdict is Verdict.UNKNOWN
    assert result.problems == ()
    assert [vars(item) for item in result.missing] == [
        {"resource": "the log of PGO", "reason": "no", "advice": "ask for it"}
    ]


def test_a_revision_without_a_record_is_used_as_helm_has_it(run_status: Look) -> None:
    result = run_status(end=End.UNKNOWN)
    assert result.ok
    assert result.release is not None
    assert result.release.outcome == "unknown"


@pytest.mark.parametrize("state", ["absent", "stopped"])
def test_a_cluster_that_does_not_run_is_all_there_is_to_say(run_status: Look, state: str) -> None:
    result = run_status(cluster=FakeCluster(state))
    assert not result.ok
    assert result.problems == (
        f"cluster embedded:x is {state}: `vrooli develop` starts it and deploys the release",
    )
    assert result.operators == ()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"cluster": FakeCluster("degraded", ComponentStatus("etcd", "failed", detail="oh"))},
            "etcd is failed: oh",
        ),
        ({"operator": _operator(State.NOT_READY, "0 of 1 pods")}, "pgo: 0 of 1 pods"),
        ({"operator": _operator(State.ABSENT)}, "pgo: absent"),
        ({"vault": VaultStatus("not ready", detail="0 of 1 pods")}, "Vault: 0 of 1 pods"),
        ({"vault": VaultStatus("absent")}, "Vault: absent"),
        (
            {"revision": None},
            "release vrooli-dev is absent: `vrooli develop` installs it from source, `vrooli "
            "deploy` from an artifact",
        ),
        (
            {"revision": Revision(4, "failed", "c", REVISION.deployed_at)},
            "release vrooli-dev is failed: run `vrooli develop` (from source) or `vrooli deploy` "
            "(from an artifact) again, or roll back with `vrooli rollback`",
        ),
        (
            {"end": End.UNFINISHED},
            "the deploy of revision 3 has not ended: run `vrooli develop` (from source) or `vrooli "
            "deploy` (from an artifact) again, or roll back with `vrooli rollback`",
        ),
        (
            {"end": End.FAILED},
            "revision 3 did not become ready when it was deployed: run `vrooli develop` (from "
            "source) or `vrooli deploy` (from an artifact) again, or roll back with `vrooli "
            "rollback`",
        ),
        (
            {"secret": {**READY_SECRET, "status": {}}},
            "VaultStaticSecret creds: the Secret creds is not synced from Vault yet",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_not_healthy_is_a_problem_in_words(
    run_status: Look, given: dict[str, Any], problem: str
) -> None:
    result = run_status(**given)
    assert not result.ok
    assert problem in result.problems


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({"revision": None}, "`vrooli deploy --environment {}` installs an artifact"),
        (
            {"revision": Revision(4, "failed", "c", REVISION.deployed_at)},
            "`vrooli rollback --environment {}`",
        ),
        ({"cluster": FakeCluster("stopped")}, "`vrooli cluster start` starts it"),
        ({"cluster": FakeCluster("absent")}, "select the cluster of {} with --cluster"),
    ],
)
def test_nobody_is_reported_to_put_the_sources_where_an_artifact_belongs(
    run_status: Look, environment: str, given: dict[str, Any], way: str
) -> None:
    (problem,) = run_status(environment=environment, **given).problems
    assert way.format(environment) in problem
    assert "vrooli develop" not in problem


def test_an_api_that_does_not_answer_hides_no_component(run_status: Look) -> None:
    etcd = ComponentStatus("etcd", "failed", detail="no space left on device")
    result = run_status(
        cluster=FakeCluster("degraded", etcd), kube=PrerequisiteError("No API answers.")
    )
    assert not result.ok
    assert result.problems == (
        "cluster x is degraded",
        "etcd is failed: no space left on device",
    )
    assert [item.reason for item in result.missing] == ["No API answers."]
    assert result.exit_code == 1
    assert result.cluster.components[0].name == "etcd"


def test_someone_elses_vault_is_no_problem(run_status: Look) -> None:
    assert run_status(vault=VaultStatus("foreign", detail="theirs")).ok


def test_an_api_that_does_not_answer_leaves_it_open_how_all_is(run_status: Look) -> None:
    result = run_status(kube=PrerequisiteError("No API answers.", "See whether it runs."))
    assert (result.ok, result.verdict, result.exit_code) == (False, Verdict.UNKNOWN, 3)
    assert [(item.reason, item.advice) for item in result.missing] == [
        ("No API answers.", "See whether it runs.")
    ]
    assert result.problems == ()


def test_a_part_that_can_not_be_read_is_no_problem_leaves_it_open_and_hides_no_other(
    run_status: Look,
) -> None:
    result = run_status(vault=PrerequisiteError("no answer"))
    assert (result.verdict, result.exit_code) == (Verdict.UNKNOWN, 3)
    assert [(item.resource, item.reason) for item in result.missing] == [("Vault", "no answer")]
    assert result.problems == ()
    assert len(result.operators) == 3
    assert result.release is not None


def test_what_is_not_healthy_decides_regardless_of_what_was_not_read(run_status: Look) -> None:
    lost = PrerequisiteError("no answer")
    result = run_status(vault=lost, operator=_operator(State.ABSENT))
    assert (result.verdict, result.exit_code) == (Verdict.PROBLEMS, 1)
    assert len(result.missing) == 1


def test_a_vault_that_nothing_is_used_from_require_not_be_read(run_status: Look) -> None:
    result = run_status(vault=PrerequisiteError("no answer"), wanted=())
    assert (result.verdict, result.missing) == (Verdict.HEALTHY, ())


def test_what_was_turned_unreachable_is_prompted_again(run_status: Look) -> None:
    busy = ApiError("list Deployment", 429, "too many", retry_after_s=0)
    assert run_status(operator=[busy] * 4).ok


def test_a_release_that_can_not_be_read_leaves_no_places_to_look(run_status: Look) -> None:
    result = run_status(revision=PrerequisiteError("no answer"))
    assert "release vrooli-dev" in {item.resource for item in result.missing}
    assert result.exit_code == 3
    assert result.urls == {}
