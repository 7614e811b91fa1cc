"""The rule probe-failing."""

from __future__ import annotations

import json
from typing import Any

from support.diagnosis.evidence import evidence, found, happening, pod, pod_of
from support.diagnosis.healthy_release import RF, redis_pod
from support.objects.workloads import NOW_TEXT, OWNER, POD, SERVER, ended, the_one, versions
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.rules.workloads import probe_failing
from vrooli.kube.objects import Ref

PROBED = {"containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]}


UNHEALTHY = happening(POD, "Unhealthy", "Readiness probe failed: HTTP probe failed: 503")


def test_a_failing_probe_is_told_with_what_the_service_itself_says_is_down() -> None:
    body = {"status": "down", "database": {"status": "up"}}
    body["redis"] = {"status": "down", "error": "no answer within 2.5 s"}
    body["services"] = {"status": "up", "jobs": {"status": "down"}}
    answer = Answer(health_answer.NAME, POD, f"503 {json.dumps(body)}")
    seen = pod_of(SERVER, ready=False, spec=PROBED)
    finding = the_one(evidence(seen, events=[UNHEALTHY], answers=[answer]))
    assert finding.rule_id == "probe-failing"
    assert "redis (no answer within 2.5 s); jobs" in finding.message
    assert "database" not in finding.message


def test_a_container_that_has_just_started_may_fail_its_probe() -> None:
    state = {"running": {"startedAt": NOW_TEXT}}
    seen = pod_of(SERVER, ready=False, spec=PROBED, state=state)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_is_ready_again_has_no_failing_probe() -> None:
    seen = pod_of(SERVER, spec=PROBED)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_its_liveness_probe_ends_is_no_mere_crash() -> None:
    events = [
        happening(POD, "Unhealthy", "Liveness probe failed: connection refused"),
        happening(POD, "Killing", "Container main failed liveness probe, will be restarted"),
    ]
    finding = the_one(evidence(ended(137, spec=PROBED), events=events))
    assert finding.rule_id == "probe-failing"
    assert "Liveness" in finding.message


DOWN = {"status": "down", "error": "no answer within 2.5 s"}
REDIS: dict[str, Any] = {
    "kind": "RedisFailover",
    "metadata": {"name": RF.name, "namespace": "dev"},
    "spec": {"redis": {"replicas": 1}, "sentinel": {"replicas": 1}},
}


def reporting(*bodies: dict[str, Any], **parts: Any) -> Evidence:
    """The server of a second version whose health report has these parts."""
    answer = Answer(health_answer.NAME, POD, f"503 {json.dumps({'status': 'down', **parts})}")
    server = pod_of(SERVER, ready=False, spec=PROBED)
    objects = (*versions(1, 0), server, *bodies)
    return evidence(*objects, events=[UNHEALTHY], answers=[answer])


def remedy(base: Evidence) -> tuple[str, str]:
    """The remediation and the command of the rule's only symptom."""
    (symptom,) = probe_failing.RULE.find(base)
    return symptom.remediation, symptom.command


def test_a_database_that_is_down_is_named_with_the_command_of_its_unready_pod() -> None:
    pods = redis_pod(ready=False), redis_pod(Ref("Pod", "rfs-vrooli-rf-0", "dev"), "sentinel")
    words, command = remedy(reporting(REDIS, *pods, redis=DOWN, queue=DOWN))
    assert words == (
        f"Repair {RF}. The pods of {OWNER} become ready by themselves afterwards. A rollback does "
        "not help."
    )
    assert command == "kubectl describe pod/rfr-vrooli-rf-0 -n dev"


def test_the_log_of_a_database_whose_pods_are_ready_is_shown() -> None:
    _, command = remedy(reporting(REDIS, redis_pod(), redis=DOWN))
    assert command == "kubectl logs pod/rfr-vrooli-rf-0 -n dev --all-containers --tail=50"


def test_the_database_is_named_before_the_services_that_need_it() -> None:
    jobs = {
        "kind": "Deployment",
        "metadata": {
            "name": "vrooli-dev-jobs",
            "namespace": "dev",
            "labels": {
                "app.kubernetes.io/instance": "vrooli-dev",
                "app.kubernetes.io/component": "jobs",
            },
        },
        "spec": {"replicas": 1},
    }
    services = {"jobs": {"status": "down"}}
    words, command = remedy(reporting(jobs, REDIS, redis=DOWN, services=services))
    assert words.startswith(f"Repair {RF}.")
    assert command == "kubectl describe redisfailover/vrooli-rf -n dev"
    words, command = remedy(
        reporting(jobs, pod_of("vrooli-dev-jobs", ready=False), services=services)
    )
    assert words.startswith("Repair Deployment/vrooli-dev-jobs.")
    assert command == "kubectl describe pod/vrooli-dev-jobs-5d9c7b-abcde -n dev"


def test_both_databases_are_named_if_both_are_down() -> None:
    metadata = {"name": "vrooli-pg", "namespace": "dev"}
    cluster = {"kind": "PostgresCluster", "metadata": metadata, "spec": {}}
    words, command = remedy(reporting(cluster, REDIS, database=DOWN, redis=DOWN))
    assert words.startswith("Repair PostgresCluster/vrooli-pg and RedisFailover/vrooli-rf.")
    assert command == "kubectl describe postgrescluster/vrooli-pg -n dev"


def test_the_primary_of_a_database_is_shown_and_not_its_backup() -> None:
    cluster = {"kind": "PostgresCluster", "metadata": {"name": "vrooli-pg", "namespace": "dev"}}
    group = "postgres-operator.crunchydata.com"
    labels = {f"{group}/cluster": "vrooli-pg"}
    backup = pod("backup", labels=labels, owner=("Job", "backup"), ready=False)
    replica = pod("replica", labels={**labels, f"{group}/role": "replica"})
    leader = pod("leader", labels={**labels, f"{group}/role": "master"})
    _, command = remedy(reporting(cluster, backup, replica, leader, database=DOWN))
    assert command.startswith("kubectl logs pod/leader -n dev")


def test_a_dependency_outside_of_the_release_is_looked_up_in_the_log_of_the_service() -> None:
    words, command = remedy(reporting(redis=DOWN))
    assert "not an object of this release" in words
    assert command == f"kubectl logs deployment/{SERVER} -n dev -c main --tail=50"


def test_a_rollback_is_offered_if_no_dependency_is_reported_down() -> None:
    for base in (reporting(redis={"status": "up"}), reporting(REDIS)):
        words, command = remedy(base)
        assert words.endswith("or roll back.")
        assert command == f"kubectl rollout undo deployment/{SERVER} -n dev --to-revision=1"
