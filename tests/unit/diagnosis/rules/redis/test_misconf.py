"""The rule redis-misconf."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.evidence import diagnosed, evidence, found, happening, pod, pod_of
from support.diagnosis.healthy_release import REDIS, RF, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource
from vrooli.diagnosis.rules.redis import misconf
from vrooli.diagnosis.rules.redis.misconf import RULE
from vrooli.kube.objects import Ref, ref_of

CASES: Cases = {
    "a Redis that can't save": (
        str(RF),
        with_answer("redis-info", REDIS, "role:master\r\nrdb_last_bgsave_status:err\r\n"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(misconf.RULE, *CASES[case])


REDIS = Ref("Pod", "rfr-vrooli-rf-0", "dev")
LABELS = {
    "redisfailovers.databases.spotahome.com/name": "vrooli-rf",
    "app.kubernetes.io/component": "redis",
}
PROBED: dict[str, Any] = {
    "containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]
}
FAILOVER = {"kind": "RedisFailover", "metadata": {"name": "vrooli-rf", "namespace": "dev"}}
SAVES = "role:master\r\nrdb_last_bgsave_status:ok\r\naof_last_write_status:ok\r\n"
SAVES_NOT = SAVES.replace("bgsave_status:ok", "bgsave_status:err")
REFUSED = (
    '503 {"redis": {"status": "down", "error": "MISCONF Redis is configured to save RDB '
    "snapshots, but it's currently unable to persist to disk.\"}}"
)


def seen(info: str, line: str = "", answer: str = "") -> Evidence:
    """A Redis that says this of itself, a line of its log, and what the jobs answer."""
    jobs = pod_of("vrooli-dev-jobs", ready=False, spec=PROBED)
    answers = [Answer("redis-info", REDIS, info)]
    if answer:
        answers.append(Answer("health-answer", ref_of(jobs), answer))
    logs = {LogSource("dev", REDIS.name, "redis"): [line]} if line else {}
    failing = happening(ref_of(jobs), "Unhealthy", "Readiness probe failed: statuscode: 503")
    redis = pod(REDIS.name, labels=LABELS, container="redis")
    return evidence(FAILOVER, redis, jobs, answers=answers, logs=logs, events=[failing])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Failed opening the temp RDB file temp-7.rdb: No space left on device", "is full"),
        ("Error saving: Failed opening the temp RDB file: Read-only file system", "is read-only"),
        ("Background saving error", "its log shows the cause"),
    ],
)
def test_a_redis_that_cannot_save_is_named_with_what_its_volume_lacks(line: str, why: str) -> None:
    causes = diagnosed(seen(SAVES_NOT, f"7:M 28 Nov 2026 12:00:00.123 # {line}")).causes
    (finding,) = [cause.finding for cause in causes if cause.finding.rule_id == RULE.rule_id]
    assert why in finding.message
    assert "MISCONF" in finding.message
    assert "rfr-vrooli-rf-0 cannot write a snapshot" in finding.message


def test_what_redis_answers_to_its_clients_counts_until_it_saves_again() -> None:
    assert found(RULE, seen("role:master\r\n", answer=REFUSED)) == ["RedisFailover/vrooli-rf"]
    assert found(RULE, seen(SAVES, answer=REFUSED)) == []
    assert found(RULE, seen(SAVES)) == []
