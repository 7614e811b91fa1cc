"""The status of each part; a part that can't be read does not hide another."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.healthy_cluster import (
    VAULT_SECRET,
    add_release,
    healthy_cluster,
    make_unavailable,
)
from vrooli.cluster.interface import ClusterStatus, ComponentStatus
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError
from vrooli.events import silent
from vrooli.findings import Verdict
from vrooli.kube import Kube
from vrooli.operators import PGO
from vrooli.operators.pgo import names as pgo_names
from vrooli.release import Release
from vrooli.release.model import secret_name
from vrooli.release.records.metadata import End
from vrooli.vault import manifests as vault
from vrooli.vulnerabilities.lookup import Lookup
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.health import status as module
from vrooli.workflows.results.status import StatusResult

Body = dict[str, Any]
KUBECONFIG = Path("/kubeconfig")
ETCD = ComponentStatus("etcd", "failed", detail="no space left on device")
POSTGRES: Body = {
    "kind": "PostgresCluster",
    "metadata": {"name": "vrooli-pg", "generation": 1},
    "spec": {"instances": [{}]},
    "status": {
        "observedGeneration": 1,
        "instances": [{"readyReplicas": 1}],
        "databaseRevision": "x",
        "usersRevision": "x",
    },
}
LEADER: Body = {
    "kind": "Pod",
    "metadata": {
        "name": "vrooli-pg-0",
        "labels": {
            pgo_names.CLUSTER_LABEL: "vrooli-pg",
            pgo_names.ROLE_LABEL: pgo_names.LEADER_ROLES[0],
        },
    },
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}


class EmbeddedCluster:
    """An embedded cluster in a given state."""

    name, kind, kubeconfig = "x", "embedded", KUBECONFIG

    def __init__(self, state: str, *components: ComponentStatus, detail: str = "") -> None:
        self._status = ClusterStatus("x", "embedded", state, "v1.37.2", components, detail)

    async def status(self) -> ClusterStatus:
        return self._status

    def urls(self) -> dict[str, str]:
        return {"http": "http://127.0.0.1:1", "api": "https://127.0.0.1:2"}


@pytest.fixture
def run_status(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StatusResult]:
    """Run status where every part is healthy except for what is given."""

    def run(
        *,
        embedded: EmbeddedCluster | None = None,
        change: Callable[[FakeCluster], object] = lambda cluster: None,
        connection_error: PrerequisiteError | None = None,
        status: str = "deployed",
        objects: tuple[Body, ...] = (VAULT_SECRET,),
        environment: str = "dev",
        end: End = End.READY,
        cluster_option: str | None = None,
    ) -> StatusResult:
        cluster = healthy_cluster()
        cluster.add(*objects)
        release = Release.of(ENVIRONMENTS[environment], KUBECONFIG)
        add_release(cluster, release, objects, status, end)
        change(cluster)

        async def find(name: str | None) -> tuple[Choice, EmbeddedCluster]:
            return Choice("embedded", "x"), embedded or EmbeddedCluster("running")

        async def connect(kubeconfig: Path) -> FakeCluster:
            assert kubeconfig == KUBECONFIG
            if connection_error is not None:
                raise connection_error
            return cluster

        monkeypatch.setattr(access, "find", find)
        monkeypatch.setattr(Kube, "connect", connect)
        return asyncio.run(module.status(ENVIRONMENTS[environment], cluster_option, silent))

    return run


Run = Callable[..., StatusResult]


def remove_release(cluster: FakeCluster) -> None:
    """Remove Helm's record of the release of any environment."""
    for environment in ENVIRONMENTS.values():
        name = secret_name(environment.release, 3)
        if cluster.find("Secret", name, environment.namespace):
            cluster.remove("Secret", name, environment.namespace)


def remove_pgo(cluster: FakeCluster) -> None:
    cluster.remove("Deployment", PGO.name, PGO.namespace)


def remove_vault(cluster: FakeCluster) -> None:
    cluster.remove("StatefulSet", vault.NAME, vault.NAMESPACE)


def forbid_vault(cluster: FakeCluster) -> None:
    cluster.failures.forbid("get", "StatefulSet", namespace=vault.NAMESPACE)


def test_all_parts_are_healthy(run_status: Run) -> None:
    result = run_status()
    assert result.ok
    assert result.problems == ()
    assert [(item.version, item.source) for item in result.operators] == [("5.4", "go-module")] * 3
    assert result.vault is not None
    assert (result.vault.state, result.vault.version) == ("ready", "2.7.2")
    assert result.release is not None
    assert (result.release.status, result.release.revision) == ("deployed", 3)
    assert [(item.name, item.ready) for item in result.workloads] == [("creds", True)]
    assert result.urls == {"kubernetes": "https://127.0.0.1:2"}


def test_status_changes_nothing(run_status: Run) -> None:
    clusters: list[FakeCluster] = []
    run_status(change=clusters.append)
    assert clusters[0].requests
    assert clusters[0].changes == []


def test_health_is_unknown_without_permission_to_read_the_logs_of_an_operator(
    run_status: Run,
) -> None:
    def forbid_pods(cluster: FakeCluster) -> None:
        cluster.add(LEADER)
        cluster.failures.forbid("list", "Pod", namespace=None)

    result = run_status(objects=(VAULT_SECRET, POSTGRES), change=forbid_pods)
    assert result.verdict is Verdict.UNKNOWN
    assert result.problems == ()
    assert [(item.resource, item.reason) for item in result.missing] == [
        ("the log of PostgreSQL operator (PGO)", "The API server refused to list Pod: forbidden")
    ]


def test_a_revision_without_metadata_has_the_state_of_helm(run_status: Run) -> None:
    result = run_status(end=End.UNKNOWN)
    assert result.ok
    assert result.release is not None
    assert result.release.outcome == "unknown"


SUSPENDED = "this machine was suspended for 42 min until 08:00:00 UTC"


def test_a_suspension_is_the_first_of_the_problems_after_it(run_status: Run) -> None:
    cluster = EmbeddedCluster("degraded", ETCD, detail=SUSPENDED)
    result = run_status(embedded=cluster)
    assert result.problems[0].startswith(f"{SUSPENDED}: ")
    assert "`vrooli status --environment dev --watch`" in result.problems[0]
    assert len(result.problems) > 1


def test_a_suspension_without_problems_is_none(run_status: Run) -> None:
    result = run_status(embedded=EmbeddedCluster("running", detail=SUSPENDED))
    assert result.ok
    assert result.cluster.detail == SUSPENDED


@pytest.mark.parametrize("state", ["absent", "stopped"])
def test_only_the_cluster_is_reported_if_it_does_not_run(run_status: Run, state: str) -> None:
    result = run_status(embedded=EmbeddedCluster(state))
    assert not result.ok
    assert result.problems == (
        f"cluster embedded:x is {state}: `vrooli develop` starts it and deploys the release",
    )
    assert result.operators == ()


def test_the_command_that_starts_a_chosen_cluster_names_it(run_status: Run) -> None:
    result = run_status(embedded=EmbeddedCluster("stopped"), cluster_option="kind")
    assert "`vrooli develop --cluster kind` starts it" in result.problems[0]


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (
            {
                "embedded": EmbeddedCluster(
                    "degraded", ComponentStatus("etcd", "failed", detail="x")
                )
            },
            "etcd is failed: x",
        ),
        (
            {"change": lambda it: make_unavailable(it, "Deployment", PGO.name, PGO.namespace)},
            "postgres-operator: 0 of 1 pods are available",
        ),
        ({"change": remove_pgo}, "postgres-operator: absent"),
        (
            {"change": lambda it: make_unavailable(it, "StatefulSet", vault.NAME, vault.NAMESPACE)},
            "Vault: 0 of 1 pods are ready",
        ),
        ({"change": remove_vault}, "Vault: absent"),
        (
            {"change": remove_release},
            "release vrooli-dev is absent: `vrooli develop` installs it from source, `vrooli "
            "deploy` from an artifact",
        ),
        (
            {"status": "failed"},
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
            {"change": lambda it: it.add({**VAULT_SECRET, "status": {}})},
            "VaultStaticSecret creds: the Secret creds is not synced from Vault yet",
        ),
    ],
    ids=[
        *("component", "operator", "no operator", "Vault", "no Vault", "no release"),
        *("failed release", "unfinished deploy", "failed deploy", "unsynced Secret"),
    ],
)
def test_a_part_that_is_not_healthy_is_a_problem(
    run_status: Run, state: dict[str, Any], problem: str
) -> None:
    result = run_status(**state)
    assert not result.ok
    assert problem in result.problems


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize(
    ("state", "advice"),
    [
        (
            {"change": remove_release},
            "`vrooli deploy --environment {}` installs an artifact",
        ),
        ({"status": "failed"}, "`vrooli rollback --environment {}`"),
        ({"embedded": EmbeddedCluster("stopped")}, "`vrooli cluster start` starts it"),
        ({"embedded": EmbeddedCluster("absent")}, "select the cluster of {} with --cluster"),
    ],
    ids=["no release", "failed release", "stopped cluster", "no cluster"],
)
def test_the_advice_for_an_environment_of_artifacts_is_never_develop(
    run_status: Run, environment: str, state: dict[str, Any], advice: str
) -> None:
    (problem,) = run_status(environment=environment, objects=(), **state).problems
    assert advice.format(environment) in problem
    assert "vrooli develop" not in problem


def test_an_api_without_an_answer_hides_no_component(run_status: Run) -> None:
    result = run_status(
        embedded=EmbeddedCluster("degraded", ETCD),
        connection_error=PrerequisiteError("No API answers."),
    )
    assert not result.ok
    assert result.problems == (
        "cluster x is degraded",
        "etcd is failed: no space left on device",
    )
    assert [item.reason for item in result.missing] == ["No API answers."]
    assert result.exit_code == 1
    assert result.cluster.components[0].name == "etcd"


def test_a_damaged_cluster_names_the_command_that_deletes_it(run_status: Run) -> None:
    error = PrerequisiteError("No API answers.")
    result = run_status(embedded=EmbeddedCluster("damaged"), connection_error=error)
    assert result.problems == (
        "cluster x is damaged: `vrooli cluster delete x` deletes it with its data",
    )


def test_a_component_that_the_host_does_not_support_is_no_problem(run_status: Run) -> None:
    off = ComponentStatus("kube-router", "off", detail="the host has no nftables")
    assert run_status(embedded=EmbeddedCluster("degraded", off)).problems == (
        "cluster x is degraded",
    )


def test_the_vault_of_another_product_is_no_problem(run_status: Run) -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": vault.NAME, "namespace": vault.NAMESPACE},
    }

    def replace_vault(cluster: FakeCluster) -> None:
        remove_vault(cluster)
        cluster.add(namespace(vault.NAMESPACE), service)

    result = run_status(change=replace_vault)
    assert result.ok
    assert result.vault is not None
    assert result.vault.state == "foreign"


def test_health_is_unknown_if_the_api_does_not_answer(run_status: Run) -> None:
    error = PrerequisiteError("No API answers.", "See whether it runs.")
    result = run_status(connection_error=error)
    assert (result.ok, result.verdict, result.exit_code) == (False, Verdict.UNKNOWN, 3)
    assert [(item.reason, item.advice) for item in result.missing] == [
        ("No API answers.", "See whether it runs.")
    ]
    assert result.problems == ()


def test_a_part_that_can_not_be_read_is_no_problem_and_hides_no_other(run_status: Run) -> None:
    result = run_status(change=forbid_vault)
    assert (result.verdict, result.exit_code) == (Verdict.UNKNOWN, 3)
    ((resource, reason),) = [(item.resource, item.reason) for item in result.missing]
    assert (resource, "forbidden" in reason) == ("Vault", True)
    assert result.problems == ()
    assert len(result.operators) == 3
    assert result.release is not None


def test_a_problem_decides_regardless_of_missing_parts(run_status: Run) -> None:
    def change(cluster: FakeCluster) -> None:
        forbid_vault(cluster)
        remove_pgo(cluster)

    result = run_status(change=change)
    assert (result.verdict, result.exit_code) == (Verdict.PROBLEMS, 1)
    assert len(result.missing) == 1


def test_a_vault_that_the_release_does_not_use_may_be_unreadable(run_status: Run) -> None:
    result = run_status(change=forbid_vault, objects=())
    assert (result.verdict, result.missing) == (Verdict.HEALTHY, ())


def test_a_busy_api_server_is_asked_again(run_status: Run) -> None:
    def limit(cluster: FakeCluster) -> None:
        cluster.failures.add("list", "Deployment", 429, "too many", times=4, retry_after_s=0)

    assert run_status(change=limit).ok


def test_a_release_that_can_not_be_read_has_no_urls(run_status: Run) -> None:
    result = run_status(change=lambda cluster: cluster.failures.forbid("list", "Secret"))
    assert "release vrooli-dev" in {item.resource for item in result.missing}
    assert result.exit_code == 3
    assert result.urls == {}


def test_packages_are_reported_beside_the_verdict(
    run_status: Callable[..., StatusResult], recorded_lookup: Lookup
) -> None:
    result = run_status()
    assert result.packages is not None
    assert result.packages.updates == recorded_lookup.updates
    assert result.packages.looked_up_at == recorded_lookup.time
    assert result.ok


def crashing_pod(reason: str, message: str = "") -> Body:
    waiting = {"waiting": {"reason": reason, "message": message}}
    ended = {
        "terminated": {"exitCode": 1, "reason": "Error", "startedAt": START, "finishedAt": START}
    }
    status = {"name": "server", "ready": False, "restartCount": 4, "image": "vrooli/server:1"}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "server-5d4f",
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "server-5d4f-x2",
            "namespace": "dev",
            "labels": {"pod-template-hash": "5d4f"},
            "ownerReferences": [owner],
            "creationTimestamp": START,
        },
        "spec": {"containers": [{"name": "server", "image": "vrooli/server:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{**status, "state": waiting, "lastState": ended}],
        },
    }


START = "2026-01-01T00:00:00Z"
SERVER: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server", "namespace": "dev", "generation": 1},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "server"}}},
    "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1},
}


def test_a_crash_loop_is_reported_with_the_cause_in_its_log(run_status: Run) -> None:
    def crash(cluster: FakeCluster) -> None:
        cluster.add(crashing_pod("CrashLoopBackOff", "back-off 40s"))
        lines = ["starting", "Traceback (most recent call last):", "KeyError: 'DB_URL'"]
        cluster.server.logs["dev", "server-5d4f-x2", "server"] = lines

    result = run_status(objects=(SERVER,), change=crash)
    assert result.problems == (
        "Deployment server: 0 of 1 pods are available; server-5d4f-x2/server: CrashLoopBackOff "
        "(ended 5 times, last with status 1): KeyError: 'DB_URL'",
    )


def test_a_crash_loop_is_reported_without_permission_to_read_logs(run_status: Run) -> None:
    def crash(cluster: FakeCluster) -> None:
        cluster.add(crashing_pod("CrashLoopBackOff", "back-off 40s"))
        cluster.failures.forbid("log", "Pod", namespace="dev")

    (problem,) = run_status(objects=(SERVER,), change=crash).problems
    assert problem.endswith("CrashLoopBackOff (ended 5 times, last with status 1)")


def test_a_missing_image_is_reported_by_its_name(run_status: Run) -> None:
    pod = crashing_pod("ErrImageNeverPull", "image is not present")
    (problem,) = run_status(objects=(SERVER,), change=lambda cluster: cluster.add(pod)).problems
    assert "ErrImageNeverPull (vrooli/server:1: image is not present)" in problem


def crashing(place: str, labels: dict[str, str]) -> Body:
    """A pod of an operator or of Vault whose container ends again and again."""
    pod = crashing_pod("CrashLoopBackOff", "back-off 40s")
    metadata = {**pod["metadata"], "namespace": place}
    return {**pod, "metadata": {**metadata, "labels": {**metadata["labels"], **labels}}}


def crash_pgo(cluster: FakeCluster) -> None:
    make_unavailable(cluster, "Deployment", PGO.name, PGO.namespace)
    labels = dict(term.partition("=")[::2] for term in PGO.selector.split(","))
    cluster.add(crashing(PGO.namespace, labels))
    cluster.server.logs[PGO.namespace, "server-5d4f-x2", "server"] = ["starting", "no leases"]


CRASHED = "server-5d4f-x2/server: CrashLoopBackOff (ended 5 times, last with status 1)"


def test_a_crashing_operator_is_reported_with_the_cause_in_its_log(run_status: Run) -> None:
    result = run_status(change=crash_pgo)
    reason = f"0 of 1 pods are available; {CRASHED}: no leases"
    assert f"postgres-operator: {reason}" in result.problems
    assert reason in [item.detail for item in result.operators]
    assert result.missing == ()


def test_a_crashing_vault_is_reported_with_the_cause_in_its_log(run_status: Run) -> None:
    def crash(cluster: FakeCluster) -> None:
        make_unavailable(cluster, "StatefulSet", vault.NAME, vault.NAMESPACE)
        cluster.add(crashing(vault.NAMESPACE, vault.SELECTOR))
        lines = ["error loading configuration"]
        cluster.server.logs[vault.NAMESPACE, "server-5d4f-x2", "server"] = lines

    reason = f"0 of 1 pods are ready; {CRASHED}: error loading configuration"
    result = run_status(change=crash)
    assert f"Vault: {reason}" in result.problems
    assert result.vault is not None
    assert result.vault.detail == reason


@pytest.mark.parametrize("place", [PGO.namespace, "dev"])
def test_the_log_of_an_operator_is_redacted_in_its_reason(run_status: Run, place: str) -> None:
    def crash(cluster: FakeCluster) -> None:
        crash_pgo(cluster)
        secret = {"name": "operator", "namespace": place}
        value = base64.b64encode(b"hunter2hunter2").decode()
        cluster.add({"kind": "Secret", "metadata": secret, "data": {"key": value}})
        lines = ["cannot log in as hunter2hunter2"]
        cluster.server.logs[PGO.namespace, "server-5d4f-x2", "server"] = lines

    result = run_status(change=crash)
    assert "cannot log in as" in result.model_dump_json()
    assert "hunter2" not in result.model_dump_json()


def test_an_operator_is_not_ready_without_permission_to_read_its_pods(run_status: Run) -> None:
    def crash(cluster: FakeCluster) -> None:
        crash_pgo(cluster)
        cluster.failures.forbid("list", "Pod", namespace=PGO.namespace)

    result = run_status(change=crash)
    assert result.verdict is Verdict.PROBLEMS
    assert "postgres-operator: 0 of 1 pods are available" in result.problems
    assert [item.resource for item in result.missing] == [f"the pods of {PGO.title}"]


def test_what_is_to_know_about_the_version_of_an_operator_is_part_of_the_status(
    run_status: Run,
) -> None:
    (pgo,) = [item for item in run_status().operators if item.name == "postgres-operator"]
    assert pgo.version == "5.4"
    assert any("its vendor does not support" in note for note in pgo.notes)
