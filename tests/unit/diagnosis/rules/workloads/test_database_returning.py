"""The rule database-returning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, diagnosed, evidence, found, happening, pod, pod_of
from support.diagnosis.healthy_release import REDIS, RF, SENTINEL, redis_pod
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import health_answer, redis_info
from vrooli.diagnosis.rules.workloads import database_returning
from vrooli.diagnosis.rules.workloads.database_returning import LIMIT_S
from vrooli.kube.objects import Ref, ref_of

PROBED = {"containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]}
JOBS = pod_of("vrooli-dev-jobs", ready=False, spec=PROBED)
UNHEALTHY = happening(ref_of(JOBS), "Unhealthy", "Readiness probe failed: HTTP probe failed: 503")
DOWN = {"status": "down", "error": "MasterNotFoundError: No master found for 'mymaster'"}
FAILOVER = {
    "kind": "RedisFailover",
    "metadata": {"name": RF.name, "namespace": "dev"},
    "spec": {"redis": {"replicas": 1}, "sentinel": {"replicas": 1}},
}
MASTERLESS = Answer(redis_info.NAME, SENTINEL, "sentinel_masters:0")


def began(ago_s: float) -> dict[str, Any]:
    """The state of a container that was started some seconds ago."""
    return {"running": {"startedAt": (NOW - timedelta(seconds=ago_s)).isoformat()}}


def redis(ago_s: float, **settings: Any) -> list[dict[str, Any]]:
    """Redis, which was restarted some seconds ago, and its Sentinel."""
    settings = {"ready": False, "state": began(ago_s), "restarts": 1, **settings}
    return [FAILOVER, redis_pod(**settings), redis_pod(SENTINEL, "sentinel")]


def reporting(*bodies: dict[str, Any], **parts: Any) -> Evidence:
    """The jobs, whose probe fails with these parts of its health report."""
    text = f"503 {json.dumps({'status': 'down', **(parts or {'redis': DOWN, 'cron': DOWN})})}"
    answers = [Answer(health_answer.NAME, ref_of(JOBS), text), MASTERLESS]
    return evidence(JOBS, *bodies, events=[UNHEALTHY], answers=answers)


def causes_of(base: Evidence) -> list[tuple[str, str, list[str]]]:
    """The causes by rule and resource, each with the rules of its consequences."""
    return [
        (
            cause.finding.rule_id,
            str(cause.resource),
            [item.rule_id for item in cause.consequences],
        )
        for cause in diagnosed(base).causes
    ]


CASES: Cases = {"a Redis that restarted": (str(RF), reporting(*redis(12.0)))}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(database_returning.RULE, *CASES[case])


def test_the_probe_of_the_jobs_is_a_consequence_of_redis_that_restarts() -> None:
    observed = reporting(*redis(12.0))
    assert causes_of(observed) == [("database-returning", str(RF), ["probe-failing"])]
    (cause,) = diagnosed(observed).causes
    assert cause.finding.message == (
        "it is returning: 0 of 1 Redis pods are ready. The last change of its pods was 12 s ago."
    )
    assert cause.finding.remediation.startswith("Wait until it is 120 s ago")
    assert cause.finding.command == f"kubectl describe pod/{REDIS.name} -n dev"


def test_a_sentinel_without_a_master_for_some_seconds_is_returning() -> None:
    observed = reporting(*redis(20.0, ready=True))
    ((rule_id, resource, consequences),) = causes_of(observed)
    assert (rule_id, resource) == ("database-returning", str(RF))
    assert "probe-failing" in consequences
    (cause,) = diagnosed(observed).causes
    assert "no Redis pod is the master" in cause.finding.message


def test_services_that_have_not_reconnected_yet_are_consequences() -> None:
    bodies = redis(5.0, ready=True)
    bodies[1]["metadata"]["labels"]["redisfailovers-role"] = "master"
    (cause,) = diagnosed(reporting(*bodies)).causes
    assert "the services are not connected to it yet" in cause.finding.message


def test_a_leader_that_started_is_returning() -> None:
    group = "postgres-operator.crunchydata.com"
    labels = {f"{group}/cluster": "vrooli-pg", f"{group}/role": "master"}
    metadata = {"name": "vrooli-pg", "namespace": "dev", "generation": 1}
    cluster = {"kind": "PostgresCluster", "metadata": metadata, "spec": {"instances": [{}]}}
    leader = pod("leader", labels=labels, ready=False)
    leader["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=30)).isoformat()
    ((_, resource, consequences),) = causes_of(reporting(cluster, leader, database=DOWN))
    assert (resource, consequences) == ("PostgresCluster/vrooli-pg", ["probe-failing"])


@pytest.mark.parametrize(
    "observed",
    [
        reporting(*redis(LIMIT_S)),
        reporting(*redis(12.0), database=DOWN),
        reporting(*redis(12.0), redis={"status": "up"}),
        reporting(FAILOVER),
        reporting(*redis(12.0)[1:]),
        reporting(*redis(12.0, state={"waiting": {"reason": "CrashLoopBackOff"}})),
    ],
    ids=["limit", "other database", "no dependency", "no pods", "external", "crash loop"],
)
def test_it_is_not_reported_for(observed: Evidence) -> None:
    assert not found(database_returning.RULE, observed)


def test_a_probe_after_the_limit_names_the_database() -> None:
    probe = [
        cause.finding
        for cause in diagnosed(reporting(*redis(LIMIT_S))).causes
        if cause.finding.rule_id == "probe-failing"
    ]
    assert [item.command for item in probe] == [f"kubectl describe pod/{REDIS.name} -n dev"]


def test_a_more_specific_cause_of_the_database_remains_the_cause() -> None:
    evicted = redis_pod(Ref("Pod", "rfr-vrooli-rf-1", "dev"), phase="Failed")
    ((rule_id, _, consequences),) = causes_of(reporting(*redis(12.0), evicted))
    assert rule_id == "redis-dead-pod-blocks-healing"
    assert {"database-returning", "probe-failing"} <= set(consequences)


def test_a_redis_that_restarted_and_does_not_respond_yet_is_returning() -> None:
    base = reporting(*redis(12.0))
    silent = Answer(redis_info.NAME, REDIS, "Could not connect to Redis at 127.0.0.1:6379")
    assert causes_of(replace(base, answers=(*base.answers, silent))) == causes_of(base)
