"""The rule operator-refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import (
    NOW,
    START,
    diagnosed,
    happening,
    pod,
    pod_of,
    well,
    whole,
    with_objects,
)
from support.diagnosis.healthy_release import RF, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.rules.release import operator_refuses
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref
from vrooli.operators.pgo.names import CLUSTER_LABEL, GROUP, ROLE_LABEL


# Each symptom as it was recorded, by the rule that knows it, and the object that it is about.
def redis_volume(size: str) -> dict[str, Any]:
    """The volume of a Redis."""
    labels = {"component": "redis", "name": "vrooli-rf", "part-of": "redis-failover"}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "vrooli-rf-data-rfr-vrooli-rf-0",
            "namespace": "dev",
            "labels": {f"app.kubernetes.io/{key}": value for key, value in labels.items()},
        },
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": "Bound"},
    }


CASES: Cases = {
    "a size that Redis' volume can't have": (
        str(RF),
        with_objects(healthy(), redis_volume("4Ti")),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(operator_refuses.RULE, *CASES[case])


Body = dict[str, Any]
RUNNER = Ref("StatefulSet", "vrooli-pg-instance1-abcd", "dev")
DUPLICATE = (
    "create Pod vrooli-pg-instance1-abcd-0 in StatefulSet vrooli-pg-instance1-abcd failed error: "
    'Pod "vrooli-pg-instance1-abcd-0" is invalid: duplicate entries for key '
    '[topologyKey="kubernetes.io/hostname",whenUnsatisfiable="ScheduleAnyway"]'
)
CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}}


def owned(kind: str, name: str, owner: tuple[str, str], **body: Any) -> Body:
    """An object that another made."""
    metadata = {
        "name": name,
        "namespace": "dev",
        "labels": {CLUSTER_LABEL: "vrooli-pg"},
        "ownerReferences": [{"kind": owner[0], "name": owner[1]}],
    }
    return {"kind": kind, "metadata": metadata, **body}


def crashing(component: str) -> Body:
    """A component that ends for want of the database."""
    return pod_of(f"vrooli-dev-{component}", ready=False, state=BACK_OFF, last=CRASHED, restarts=7)


def without_instances(*events: Event) -> Evidence:
    """A release whose PostgreSQL was never made: its operator's StatefulSet has no pod."""
    cluster = ("PostgresCluster", "vrooli-pg")
    seen = well()
    for secret in seen.all("VaultStaticSecret"):
        filled = {"secretMAC": "mac", "lastGeneration": 1}
        name = secret["spec"]["destination"]["name"]
        made = owned("Secret", name, ("VaultStaticSecret", secret["metadata"]["name"]))
        seen = with_objects(seen, {**secret, "status": filled}, made)
    kept = {kind: found for kind, found in seen.objects.items() if kind != "RedisFailover"}
    others = tuple(item for item in seen.manifests if item.kind != "RedisFailover")
    seen = replace(seen, objects=kept, manifests=others)
    (body,) = seen.all("PostgresCluster")
    status = {"observedGeneration": 1, "instances": [{"name": "instance1"}]}
    services = [
        owned("Service", f"vrooli-pg-{name}", cluster, spec={"selector": {"role": name}})
        for name in ("primary", "pgbouncer")
    ]
    runner = owned(*(RUNNER.kind, RUNNER.name), cluster, spec={"replicas": 1}, status={})
    workloads = [
        {**item, "status": {"replicas": 1, "updatedReplicas": 1}}
        for item in seen.all("Deployment")
        if item["metadata"]["name"] in ("vrooli-dev-server", "vrooli-dev-jobs")
    ]
    return replace(
        with_objects(
            seen,
            {**body, "status": status},
            runner,
            *services,
            *workloads,
            crashing("server"),
            crashing("jobs"),
        ),
        events=events,
    )


@pytest.mark.parametrize("ago_s", [30.0, 900.0, 3000.0])
def test_pods_of_a_database_that_the_api_server_refuses_are_the_cause(ago_s: float) -> None:
    event = happening(RUNNER, "FailedCreate", DUPLICATE, ago_s=ago_s)
    (first,) = diagnosed(without_instances(event)).causes
    assert (first.finding.rule_id, first.resource) == ("pod-refused", RUNNER)
    assert "the requested pod is invalid" in first.finding.message
    assert "duplicate entries" in first.finding.message
    assert first.finding.command == "kubectl describe postgrescluster/vrooli-pg -n dev"
    follows = {finding.resource for finding in first.consequences}
    assert {"Deployment/vrooli-dev-server", "Deployment/vrooli-dev-jobs"} <= follows
    assert "PostgresCluster/vrooli-pg" in follows


def running(*bodies: Body, logs: dict[LogSource, list[str]] | None = None, **spec: Any) -> Evidence:
    """A PostgreSQL of version 15 that runs, whose resource asks for something else.

    Its last change was five minutes ago.
    """
    seen = whole()
    (body,) = (item.body for item in well().manifests if item.kind == "PostgresCluster")
    instances = [{"name": "instance1", "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}]
    status = {
        "observedGeneration": 1,
        "instances": instances,
        "databaseRevision": "a",
        "usersRevision": "b",
        "proxy": {"pgBouncer": {"readyReplicas": 1}},
    }
    changed = (NOW - timedelta(minutes=5)).isoformat()
    metadata = {"name": "vrooli-pg", "namespace": "dev", "generation": 1}
    metadata["managedFields"] = [{"time": changed}, {"time": START, "subresource": "status"}]
    cluster = {
        "kind": "PostgresCluster",
        "metadata": metadata,
        "spec": {**body["spec"], **spec},
        "status": status,
    }
    labels = {CLUSTER_LABEL: "vrooli-pg", ROLE_LABEL: "master"}
    environment = [{"name": "PGDATA", "value": "/pgdata/pg15"}]
    containers = [{"name": "database", "env": environment}]
    leader = pod("vrooli-pg-instance1-abcd-0", labels=labels, spec={"containers": containers})
    kept = {**seen.objects, "PostgresCluster": [cluster]}
    wanted = (
        *seen.manifests,
        *(item for item in well().manifests if item.kind == "PostgresCluster"),
    )
    return replace(
        with_objects(replace(seen, objects=kept, manifests=wanted), leader, *bodies),
        logs=logs or {},
    )


def volume(size: str) -> Body:
    """The volume of PostgreSQL's instance."""
    labels = {"cluster": "vrooli-pg", "instance-set": "instance1", "role": "pgdata"}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "vrooli-pg-instance1-abcd-pgdata",
            "namespace": "dev",
            "labels": {f"{GROUP}/{key}": value for key, value in labels.items()},
        },
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": "Bound"},
    }


PGO_LOG = LogSource("postgres-operator", "pgo-1", "operator")


def pgo_line(seconds_ago: float) -> str:
    """An error as PGO's logger writes it."""
    time = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return (
        f'time="{time}" level=error msg="Reconciler error" controller=postgrescluster '
        'error="StatefulSet.apps \\"vrooli-pg-instance1-abcd\\" is invalid: image: Required" '
        "name=vrooli-pg namespace=dev postgresCluster=dev/vrooli-pg version="
    )


REFUSED = {
    "another major version": (running(postgresVersion=14), "run PostgreSQL 15, 14 is requested"),
    "a volume that can't shrink": (running(volume("2Ti")), "it cannot become smaller"),
    "a volume that never grew": (running(volume("1Mi")), "abcd-pgdata has 1Mi"),
    "what only the log tells": (
        running(logs={PGO_LOG: [pgo_line(120), pgo_line(80), pgo_line(1)]}),
        "is invalid: image: Required",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_change_that_the_operator_can_not_make_is_a_cause(what: str) -> None:
    seen, words = REFUSED[what]
    (cause,) = diagnosed(seen).causes
    assert (cause.finding.rule_id, str(cause.resource)) == (
        "operator-refuses",
        "PostgresCluster/vrooli-pg",
    )
    assert words in cause.finding.message


def test_the_command_puts_back_what_was_changed_by_hand_and_else_names_the_value() -> None:
    (cause,) = diagnosed(REFUSED["another major version"][0]).causes
    assert cause.finding.command.startswith("kubectl patch postgrescluster/vrooli-pg -n dev")
    assert "postgresVersion" in cause.finding.command
    (cause,) = diagnosed(REFUSED["a volume that never grew"][0]).causes
    assert cause.finding.command == "vrooli check --environment dev"


@pytest.mark.parametrize(
    "lines",
    [[pgo_line(400), pgo_line(350)], [pgo_line(200), pgo_line(190)]],
    ids=["before", "over"],
)
def test_errors_before_the_change_or_that_are_over_say_nothing(lines: list[str]) -> None:
    assert diagnosed(running(logs={PGO_LOG: lines})).causes == ()
