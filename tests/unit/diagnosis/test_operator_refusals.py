"""What an operator, or the API server for it, refuses is why all that needs a database fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.evidence import diagnosed, happening, pod_of, well, with_objects
from vrooli.diagnosis.evidence import Evidence, Happening
from vrooli.diagnosis.objects import Ref
from vrooli.operators.claims import PGO

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
        "labels": {f"{PGO}/cluster": "vrooli-pg"},
        "ownerReferences": [{"kind": owner[0], "name": owner[1]}],
    }
    return {"kind": kind, "metadata": metadata, **body}


def crashing(component: str) -> Body:
    """A component that ends for want of the database."""
    return pod_of(f"vrooli-dev-{component}", ready=False, state=BACK_OFF, last=CRASHED, restarts=7)


def without_instances(*events: Happening) -> Evidence:
    """A release whose PostgreSQL was never made: its operator's StatefulSet has no pod."""
    cluster = ("PostgresCluster", "vrooli-pg")
    seen = well()
    for secret in seen.all("VaultStaticSecret"):
        filled = {"secretMAC": "mac", "lastGeneration": 1}
        name = secret["spec"]["destination"]["name"]
        made = owned("Secret", name, ("VaultStaticSecret", secret["metadata"]["name"]))
        seen = with_objects(seen, {**secret, "status": filled}, made)
    kept = {kind: found for kind, found in seen.objects.items() if kind != "RedisFailover"}
    others = tuple(item for item in seen.wanted if item.kind != "RedisFailover")
    seen = replace(seen, objects=kept, wanted=others)
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
    assert (first.finding.name, first.about) == ("pod-refused", RUNNER)
    assert "the pod that is asked for is invalid" in first.finding.found
    assert "duplicate entries" in first.finding.found
    assert first.finding.command == "kubectl describe postgrescluster/vrooli-pg -n dev"
    follows = {finding.what for finding in first.follows}
    assert {"Deployment/vrooli-dev-server", "Deployment/vrooli-dev-jobs"} <= follows
    assert "PostgresCluster/vrooli-pg" in follows
