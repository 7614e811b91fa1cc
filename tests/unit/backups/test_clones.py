"""A restored copy: what it has of its source, and what it must not touch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from support.release.repository import backup, report
from vrooli.backups.clones import Place, independent, is_copy
from vrooli.backups.contents import Contents, differences
from vrooli.backups.copies import unready_reason
from vrooli.backups.info import parse_info
from vrooli.backups.targets import Recovery

STORED = parse_info(report(backup("20261129-094420F"))).backups[0]
RECOVERY = Recovery(STORED, datetime(2026, 11, 29, tzinfo=UTC), ("--set=x", "--type=immediate"))
PLACE = Place("copy", "inspection")
SOURCE: dict[str, Any] = {
    "apiVersion": "postgres-operator.crunchydata.com/v1beta1",
    "kind": "PostgresCluster",
    "metadata": {
        "name": "vrooli-pg",
        "namespace": "production",
        "annotations": {"meta.helm.sh/release-name": "vrooli-prod"},
    },
    "spec": {
        "postgresVersion": 15,
        "instances": [{"name": "instance1", "replicas": 2}],
        "databaseInitSQL": {"name": "vrooli-pg-init-sql", "key": "init.sql"},
        "proxy": {"pgBouncer": {"replicas": 2}},
        "patroni": {"dynamicConfiguration": {"synchronous_mode": True, "retry_timeout": 7}},
        "backups": {
            "pgbackrest": {
                "configuration": [{"secret": {"name": "s3-keys"}}],
                "global": {
                    "repo1-retention-full": "2",
                    "repo2-path": "/a",
                    "repo2-cipher-type": "x",
                },
                "jobs": {"resources": {"limits": {"memory": "256Mi"}}},
                "manual": {"repoName": "repo1"},
                "repos": [
                    {"name": "repo1", "volume": {}, "schedules": {"full": "0 3 * * *"}},
                    {"name": "repo2", "s3": {"bucket": "b"}},
                ],
            }
        },
    },
}


def test_a_copy_does_not_write_to_the_object_storage_of_its_source() -> None:
    settings = independent(SOURCE, PLACE, RECOVERY)["spec"]["backups"]["pgbackrest"]
    assert settings["repos"] == [{"name": "repo1", "volume": {}}]
    assert settings["global"] == {"repo1-retention-full": "2"}
    assert "configuration" not in settings
    assert "manual" not in settings


def test_a_copy_is_one_instance_that_waits_for_no_other() -> None:
    spec = independent(SOURCE, PLACE, RECOVERY)["spec"]
    assert spec["instances"] == [{"name": "instance1", "replicas": 1}]
    configuration = spec["patroni"]["dynamicConfiguration"]
    assert configuration == {"synchronous_mode": False, "retry_timeout": 7}
    assert "databaseInitSQL" not in spec


def test_a_copy_does_not_belong_to_the_release() -> None:
    copy = independent(SOURCE, PLACE, RECOVERY)
    assert "annotations" not in copy["metadata"]
    assert (is_copy(copy), is_copy(SOURCE)) == (True, False)


def test_the_data_source_is_the_repository_of_the_backup() -> None:
    source = independent(SOURCE, PLACE, RECOVERY)["spec"]["dataSource"]["postgresCluster"]
    assert source == {
        "clusterName": "vrooli-pg",
        "clusterNamespace": "production",
        "repoName": "repo1",
        "options": ["--set=x", "--type=immediate"],
        "resources": {"limits": {"memory": "256Mi"}},
    }


def test_a_copy_is_ready_when_its_data_is_restored_and_its_instances_are_ready() -> None:
    assert unready_reason(None) is not None
    body: dict[str, Any] = {"spec": {"instances": [{"replicas": 1}]}, "status": {}}
    assert unready_reason(body) == "pgBackRest restores the data"
    body["status"]["conditions"] = [{"type": "PostgresDataInitialized", "status": "True"}]
    assert unready_reason(body) == "0 of 1 instances are ready"
    body["status"]["instances"] = [{"name": "instance1", "readyReplicas": 1}]
    assert unready_reason(body) is None


def test_tables_extensions_and_users_that_differ_are_listed() -> None:
    restored = Contents(
        columns={"v: a": "id int", "v: b": "id int", "v: old": "id int"},
        extensions={"v: vector": "0.7"},
        users=frozenset({"vrooli"}),
    )
    live = Contents(
        columns={"v: a": "id int", "v: b": "id int, text text", "v: new": "id int"},
        extensions={"v: vector": "0.8"},
        users=frozenset({"vrooli", "vrooli-alternate"}),
    )
    assert differences(restored, live) == [
        "table v: b has other columns or another version",
        "table v: new did not exist yet",
        "table v: old does not exist any more",
        "extension v: vector has other columns or another version",
        "user vrooli-alternate did not exist yet",
    ]
    assert differences(live, live) == []
