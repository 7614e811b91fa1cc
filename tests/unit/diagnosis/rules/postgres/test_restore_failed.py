"""The rule postgres-restore-failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.diagnosis.evidence import found, pod, with_objects
from support.diagnosis.healthy_release import PG, PGO, healthy
from support.diagnosis.rule_cases import assert_reported
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.rules.postgres import restore_failed

JOB = "vrooli-pg-pgbackrest-restore"
ERROR = "ERROR: [075]: no backup set found to restore: 19990101-000000F"


def _job(**status: Any) -> dict[str, Any]:
    labels = {f"{PGO}/cluster": PG.name, f"{PGO}/pgbackrest-restore": ""}
    metadata = {"name": JOB, "namespace": "dev", "labels": labels}
    return {"kind": "Job", "metadata": metadata, "status": status}


def _evidence(
    job: dict[str, Any], *, requested: str = "t1", enabled: bool = True, **restore: Any
) -> Evidence:
    (cluster,) = healthy().all("PostgresCluster")
    spec = {**cluster["spec"], "backups": {"pgbackrest": {"restore": {"enabled": enabled}}}}
    annotations = {f"{PGO}/pgbackrest-restore": requested} if requested else {}
    return with_objects(
        healthy(),
        {
            **cluster,
            "metadata": {**cluster["metadata"], "annotations": annotations},
            "spec": spec,
            "status": {"pgbackrest": {"restore": restore}},
        },
        job,
    )


@pytest.mark.parametrize(
    "status",
    [
        {"failed": 2, "active": 1},
        {"conditions": [{"type": "Failed", "status": "True", "message": "reached the limit"}]},
    ],
)
def test_a_failed_restore_names_its_job_and_the_command_that_cancels_it(
    status: dict[str, Any],
) -> None:
    seen = _evidence(_job(**status), id="t1")
    assert_reported(restore_failed.RULE, "PostgresCluster/vrooli-pg", seen)
    (symptom,) = restore_failed.RULE.find(seen)
    assert f"the restore fails (Job/{JOB})" in symptom.message
    assert symptom.command == (
        "kubectl patch postgrescluster/vrooli-pg -n dev --type=merge -p "
        '\'{"spec": {"backups": {"pgbackrest": {"restore": {"enabled": false}}}}}\' && '
        f"kubectl delete job/{JOB} -n dev"
    )


def test_the_words_of_pgbackrest_are_quoted() -> None:
    attempt = pod(f"{JOB}-x", owner=("Job", JOB), ready=False)
    source = LogSource("dev", f"{JOB}-x", "main")
    seen = replace(with_objects(_evidence(_job(failed=1)), attempt), logs={source: [ERROR]})
    (symptom,) = restore_failed.RULE.find(seen)
    assert ERROR in symptom.message


@pytest.mark.parametrize(
    "seen",
    [
        _evidence(_job(active=1)),
        _evidence(_job(failed=1, succeeded=1)),
        _evidence(_job(failed=1), id="t1", finished=True),
        _evidence(_job(failed=1), enabled=False),
        _evidence(_job(failed=1), requested=""),
    ],
)
def test_a_restore_that_runs_has_finished_or_was_cancelled_is_not_reported(
    seen: Evidence,
) -> None:
    assert found(restore_failed.RULE, seen) == []
