"""The rule postgres-replica-diverged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from support.diagnosis.evidence import found, pod, with_objects
from support.diagnosis.healthy_release import PGO, database_pod, with_log_line
from support.diagnosis.rule_cases import assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.postgres import replica_diverged

REPLICA = "vrooli-pg-instance1-1"
ERROR = (
    "FATAL:  could not start WAL streaming: ERROR:  requested starting point 0/E000000 on timeline "
    "3 is not in this server's history"
)


def member(instance: dict[str, Any], timeline: int) -> dict[str, Any]:
    """An instance with the state that Patroni has written."""
    status = json.dumps({"state": "running", "timeline": timeline})
    instance["metadata"]["annotations"] = {"status": status}
    return instance


def replica(timeline: int) -> Evidence:
    """A release whose leader is on timeline 4, and whose replica logs that it cannot follow."""
    labels = {**database_pod()["metadata"]["labels"], f"{PGO}/role": "replica"}
    instance = pod(REPLICA, labels=labels, container="database")
    logged = with_log_line(ERROR, REPLICA)
    return with_objects(logged, member(database_pod(), 4), member(instance, timeline))


def test_a_symptom_names_the_replica_and_has_patroni_copy_its_data() -> None:
    assert_reported(replica_diverged.RULE, f"Pod/{REPLICA}", replica(3))
    (symptom,) = replica_diverged.RULE.find(replica(3))
    assert symptom.command == (
        "kubectl exec vrooli-pg-instance1-0 -n dev -c database -- patronictl reinit --force "
        f"vrooli-pg-ha {REPLICA}"
    )


def test_a_replica_that_follows_or_does_not_complain_is_no_symptom() -> None:
    assert found(replica_diverged.RULE, replica(4)) == []
    assert found(replica_diverged.RULE, replace(replica(3), logs={})) == []
