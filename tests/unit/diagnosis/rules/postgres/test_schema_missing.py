"""The rule postgres-schema-missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.diagnosis.evidence import diagnosed, evidence, happening, pod, pod_of, with_objects
from support.diagnosis.healthy_release import PG, as_json, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.rules.postgres import schema_missing
from vrooli.diagnosis.rules.postgres.schema_missing import RULE
from vrooli.kube.objects import ref_of

SERVER_POD = pod_of("vrooli-dev-server", ready=False)


REFUSED = ["INSERT on vrooli.posts", "SELECT on vrooli.posts"]


UNUSABLE = {
    "status": "down",
    "error": f"user vrooli lacks {', '.join(REFUSED)}",
    "schema": {"user": "vrooli", "owner": "vrooli", "missing": [], "refused": REFUSED},
}


SCHEMA_REFUSED = with_objects(
    with_answer("health-answer", ref_of(SERVER_POD), f"503 {as_json(database=UNUSABLE)}"),
    SERVER_POD,
)

CASES: Cases = {
    "a table of somebody else": (
        str(PG),
        SCHEMA_REFUSED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(schema_missing.RULE, *CASES[case])


PGO = "postgres-operator.crunchydata.com"
PROBED = {"containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]}
CLUSTER = {
    "kind": "PostgresCluster",
    "metadata": {"name": "vrooli-pg", "namespace": "dev"},
    "spec": {"users": [{"name": "vrooli", "databases": ["vrooli"]}]},
}
LEADER = pod(
    "vrooli-pg-instance1-0",
    labels={f"{PGO}/cluster": "vrooli-pg", f"{PGO}/data": "postgres", f"{PGO}/role": "master"},
    container="database",
)
LOST = "column vrooli.posts.reason"


def report(error: str, **schema: Any) -> dict[str, Any]:
    """The database's part of a health report."""
    whole = {"user": "vrooli", "owner": "vrooli", "missing": [], "refused": []}
    return {"status": "down", "error": error, "schema": {**whole, **schema}}


def seen(database: dict[str, Any], *more: dict[str, Any]) -> Evidence:
    """Server and jobs that say this of their database, and aren't ready for it."""
    pods = [pod_of(f"vrooli-dev-{name}", ready=False, spec=PROBED) for name in ("server", "jobs")]
    said = f"503 {json.dumps({'status': 'down', 'database': database})}"
    answers = [Answer("health-answer", ref_of(item), said) for item in pods]
    failing = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    events = [happening(ref_of(item), "Unhealthy", failing) for item in pods]
    return evidence(*pods, *more, answers=answers, events=events)


def test_it_is_the_one_cause_of_the_services_that_are_not_ready() -> None:
    """Server and jobs aren't blamed: both follow from their database."""
    said = diagnosed(seen(report(f"schema missing: {LOST}", missing=[LOST]), CLUSTER, LEADER))
    (cause,) = said.causes
    assert (cause.finding.rule_id, str(cause.resource)) == (
        RULE.rule_id,
        "PostgresCluster/vrooli-pg",
    )
    assert f"schema missing: {LOST}" in cause.finding.message
    assert [item.rule_id for item in cause.consequences] == ["probe-failing", "probe-failing"]


def test_an_external_database_is_told_at_the_service_that_says_so() -> None:
    said = diagnosed(seen(report(f"schema missing: {LOST}", missing=[LOST])))
    (cause,) = said.causes
    assert cause.finding.rule_id == RULE.rule_id
    assert cause.finding.command.startswith("kubectl logs deployment/vrooli-dev-server")
    assert "migrations" in cause.finding.remediation


def test_tables_of_another_owner_are_given_to_the_services_user() -> None:
    refused_login = ["USAGE on schema vrooli", "INSERT on vrooli.posts", "SELECT on vrooli.posts"]
    database = report("user vrooli lacks rights", owner="postgres", refused=refused_login)
    (symptom,) = RULE.find(seen(database, CLUSTER, LEADER))
    assert symptom.command == (
        "kubectl exec vrooli-pg-instance1-0 -n dev -c database -- psql -d vrooli"
        " -c 'ALTER SCHEMA vrooli OWNER TO \"vrooli\"'"
        " -c 'ALTER TABLE vrooli.posts OWNER TO \"vrooli\"'"
        " -c 'GRANT ALL ON ALL TABLES IN SCHEMA vrooli TO \"vrooli\"'"
    )


@pytest.mark.parametrize("name", ["a'; DROP TABLE x; --", 'a"b', "", "$(id)"])
def test_a_name_that_is_none_goes_into_no_command(name: str) -> None:
    database = report("lacks", user=name, owner="postgres", refused=["INSERT on vrooli.posts"])
    (symptom,) = RULE.find(seen(database, CLUSTER, LEADER))
    assert symptom.command.startswith("kubectl logs ")


@pytest.mark.parametrize(
    "database",
    [
        {"status": "up", "schema": {"missing": [], "refused": []}},
        {"status": "down", "error": "no answer within 2.5 s"},
        {"status": "down", "schema": "odd"},
        {},
    ],
)
def test_a_database_that_is_down_for_another_reason_is_not_this(database: dict[str, Any]) -> None:
    assert list(RULE.find(seen(database, CLUSTER, LEADER))) == []
