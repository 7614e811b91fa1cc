"""What a release can't ask of the databases and volumes that are there, and what it can."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from vrooli.checks.data import changes as data_changes
from vrooli.checks.data.live import Live
from vrooli.checks.interface import CheckResult
from vrooli.operators.pgo.names import CLUSTER_LABEL, GROUP, RESTORE_ANNOTATION

Body = dict[str, Any]
VALUES: dict[str, Any] = {"vso": {"enabled": False}}


def resource(kind: str, **changes: Any) -> Body:
    """The release's resource of a kind, as an earlier deploy with these values left it."""
    item = next(one for one in rendered(**VALUES, **changes) if one.kind == kind)
    body: Body = copy.deepcopy(dict(item.body))
    body["metadata"]["annotations"] = {"meta.helm.sh/release-name": "vrooli-dev"}
    return body


def claim(name: str, labels: dict[str, str], size: str, storage_class: str = "local") -> Body:
    """A claim that is bound."""
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
    }


def postgres_claim(size: str, **settings: Any) -> Body:
    """The volume of an instance."""
    labels = {"cluster": "vrooli-pg", "instance-set": "instance1", "role": "pgdata"}
    full = {f"{GROUP}/{key}": value for key, value in labels.items()}
    return claim("vrooli-pg-instance1-abcd-pgdata", full, size, **settings)


def redis_claim(size: str, **settings: Any) -> Body:
    """The volume of a Redis."""
    labels = {"component": "redis", "name": "vrooli-rf", "part-of": "redis-failover"}
    full = {f"app.kubernetes.io/{key}": value for key, value in labels.items()}
    return claim("vrooli-rf-data-rfr-vrooli-rf-0", full, size, **settings)


def instance(version: int, *, ready: bool = True) -> Body:
    """A pod of PostgreSQL."""
    environment = [{"name": "PGDATA", "value": f"/pgdata/pg{version}"}]
    return {
        "kind": "Pod",
        "metadata": {"name": "pg-0", "labels": {CLUSTER_LABEL: "vrooli-pg"}},
        "spec": {"containers": [{"name": "database", "env": environment}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def revision(version: int, day: int) -> Body:
    """An earlier template of PostgreSQL's StatefulSet."""
    metadata = {**instance(version)["metadata"], "creationTimestamp": f"2026-06-0{day}T12:00:00Z"}
    template = {"spec": instance(version)["spec"]}
    return {"metadata": metadata, "data": {"spec": {"template": template}}}


def judge(live: Live, **changes: Any) -> CheckResult:
    """What is said of a release with these values."""
    return data_changes.judge(rendered(**VALUES, **changes), live)


def sentences(seen: CheckResult) -> list[str]:
    """The findings, as people read them."""
    return [str(finding) for finding in seen.findings]


NOTHING = Live(classes={})
POSTGRES = resource("PostgresCluster")
REDIS = resource("RedisFailover")


def test_an_empty_namespace_has_no_findings() -> None:
    assert judge(NOTHING) == CheckResult("no data exists yet")


def test_the_same_release_again_fits_its_own_data() -> None:
    volumes = (postgres_claim("1Gi"), redis_claim("256Mi"), redis_claim("256Mi"))
    sizes = {"postgres": {"size": "1Gi"}, "redis": {"size": "256Mi"}}
    live = Live((POSTGRES, REDIS), volumes, (instance(15),), {})
    assert judge(live, persistence=sizes) == CheckResult("3 volumes exist")


def test_another_major_version_is_refused_with_the_supported_upgrades() -> None:
    live = Live((POSTGRES,), pods=(instance(15),), classes={})
    (message,) = sentences(judge(live, pgoPostgresql={"postgresVersion": 16}))
    for words in ("PostgresCluster/vrooli-pg", "PostgreSQL 15", "postgresVersion is 16"):
        assert words in message
    assert "PGUpgrade" in message
    assert "pg_dumpall" in message


def test_an_older_major_version_is_refused_too() -> None:
    live = Live((POSTGRES,), pods=(instance(15),), classes={})
    assert len(judge(live, pgoPostgresql={"postgresVersion": 14}).findings) == 1


def test_the_default_version_does_not_replace_the_version_of_existing_data() -> None:
    live = Live([POSTGRES], [], [instance(15)])
    (message,) = sentences(data_changes.judge(rendered("staging", **VALUES), live))
    assert "PostgreSQL 15, but pgoPostgresql.postgresVersion is 17" in message
    assert "Set pgoPostgresql.postgresVersion to 15 in the values" in message


def test_the_version_after_a_pgupgrade_is_accepted() -> None:
    upgraded = {**POSTGRES, "status": {"postgresVersion": 16}}
    live = Live((upgraded,), pods=(instance(15),), classes={})
    assert judge(live, pgoPostgresql={"postgresVersion": 16}).findings == ()


def test_a_wrong_version_may_be_set_back() -> None:
    wrong = resource("PostgresCluster", pgoPostgresql={"postgresVersion": 16})
    running = judge(Live((wrong,), pods=(instance(15),), classes={}))
    crashing = Live(
        (wrong,), (), (instance(16, ready=False),), {}, (revision(16, 2), revision(15, 1))
    )
    assert running.findings == judge(crashing).findings == ()


def test_a_cluster_without_a_second_login_role_requires_a_grant() -> None:
    old = resource("PostgresCluster")
    desired = rendered()
    assert data_changes.judge(desired, Live((old,), classes={})).findings == ()
    (warning,) = data_changes.judge(desired, Live((old,), classes={})).warnings
    assert 'GRANT "vrooli" TO "vrooli-alternate"' in warning
    assert 'ALTER ROLE "vrooli-alternate" SET role TO "vrooli"' in warning
    new = next(dict(item.body) for item in desired if item.kind == "PostgresCluster")
    assert data_changes.judge(desired, Live((new,), classes={})).warnings == ()
    assert judge(Live((old,), classes={})).warnings == ()
    assert data_changes.judge(desired, NOTHING).warnings == ()


def test_another_version_is_refused_while_the_version_of_the_data_is_unknown() -> None:
    live = Live((POSTGRES,), pods=(instance(15, ready=False),), classes={})
    (message,) = sentences(judge(live, pgoPostgresql={"postgresVersion": 16}))
    assert "is unknown because none of its instances is ready" in message
    assert "Set postgresVersion to 15" in message
    assert """--type merge -p '{"spec":{"postgresVersion":16}}'""" in message
    assert judge(live).findings == ()


@pytest.mark.parametrize("version", [14, 16])
def test_the_version_of_a_stopped_database_is_that_of_its_first_template(version: int) -> None:
    revisions = (revision(15, 1), revision(16, 2))
    live = Live((POSTGRES,), (), (instance(15, ready=False),), {}, revisions)
    (message,) = sentences(judge(live, pgoPostgresql={"postgresVersion": version}))
    assert "its data has the format of PostgreSQL 15" in message


def test_a_database_that_is_down_has_the_version_of_its_last_upgrade() -> None:
    upgraded = {**resource("PostgresCluster", pgoPostgresql={"postgresVersion": 16})}
    upgraded["status"] = {"postgresVersion": 16}
    live = Live((upgraded,), (), (), {}, (revision(15, 1), revision(16, 2)))
    (message,) = sentences(judge(live))
    assert "its data has the format of PostgreSQL 16" in message


def test_a_cluster_that_is_shut_down_still_has_a_version() -> None:
    down = {**POSTGRES, "spec": {**POSTGRES["spec"], "shutdown": True}}
    runner = {
        "kind": "StatefulSet",
        "metadata": instance(15)["metadata"],
        "spec": {"template": instance(15)},
    }
    live = Live((down,), pods=(runner,), classes={})
    assert len(judge(live, pgoPostgresql={"postgresVersion": 16}).findings) == 1


@pytest.mark.parametrize(
    ("volume", "values", "asked"),
    [
        (postgres_claim("2Gi"), {"postgres": {"size": "1Gi"}}, "persistence.postgres.size"),
        (redis_claim("512Mi"), {"redis": {"size": "256Mi"}}, "persistence.redis.size"),
    ],
)
def test_a_volume_that_would_have_to_shrink_is_refused(
    volume: Body, values: dict[str, Any], asked: str
) -> None:
    growing = {"local": {"allowVolumeExpansion": True}}
    (message,) = sentences(judge(Live(claims=(volume,), classes=growing), persistence=values))
    assert f"{asked} is " in message
    assert "a volume cannot shrink" in message
    assert volume["metadata"]["name"] in message


@pytest.mark.parametrize("kind", [{}, {"allowVolumeExpansion": False}])
def test_a_volume_of_a_class_that_can_not_grow_is_refused(kind: dict[str, Any]) -> None:
    live = Live(claims=(redis_claim("512Mi"),), classes={"local": kind})
    (finding,) = judge(live, persistence={"redis": {"size": "1Gi"}}).findings
    assert finding.rule_id == "data"
    assert finding.resource == "PersistentVolumeClaim/vrooli-rf-data-rfr-vrooli-rf-0"
    assert "has 512Mi (local)" in finding.message
    assert "persistence.redis.size is 1Gi" in finding.message
    assert "kubectl delete redisfailover/vrooli-rf -n dev" in finding.remediation


def test_a_volume_of_a_class_that_grows_is_let_through() -> None:
    live = Live(claims=(redis_claim("512Mi"),), classes={"local": {"allowVolumeExpansion": True}})
    assert judge(live, persistence={"redis": {"size": "1Gi"}}).findings == ()


def test_an_unfinished_replacement_of_volumes_does_not_stop_a_deploy() -> None:
    values = {"postgres": {"size": "5Gi"}}
    claims = (postgres_claim("1Gi"), postgres_claim("5Gi"))
    growing = Live((resource("PostgresCluster", persistence=values),), claims, classes={})
    assert judge(growing, persistence=values).findings == ()
    # A larger size than the one that `grow` has requested is still a change.
    larger = judge(growing, persistence={"postgres": {"size": "9Gi"}})
    assert len(larger.findings) == len(claims)


def test_a_missing_permission_to_read_storage_classes_is_reported() -> None:
    observed = judge(Live(claims=(redis_claim("512Mi"),)), persistence={"redis": {"size": "1Gi"}})
    assert observed.findings == ()
    assert "whether the storage class of the volumes allows expansion" in observed.unavailable[0]


def test_sizes_are_compared_as_amounts() -> None:
    live = Live(claims=(redis_claim("1024Mi"),), classes={})
    assert judge(live, persistence={"redis": {"size": "1Gi"}}).findings == ()


def test_another_class_is_refused() -> None:
    live = Live(claims=(postgres_claim("1Gi"),), classes={})
    values = {"postgres": {"size": "1Gi", "storageClass": "fast"}}
    (message,) = sentences(judge(live, persistence=values))
    assert "persistence.postgres.storageClass is fast" in message


def test_a_claim_that_is_being_deleted_does_not_count() -> None:
    going = redis_claim("512Mi")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    live = Live(claims=(going,), classes={})
    assert judge(live, persistence={"redis": {"size": "1Gi"}}).findings == ()


@pytest.mark.parametrize(
    ("kind", "values", "value"),
    [
        ("PostgresCluster", {"pgoPostgresql": {"clusterName": "db"}}, "pgoPostgresql.clusterName"),
        ("RedisFailover", {"spotahomeRedis": {"name": "cache"}}, "spotahomeRedis.name"),
    ],
)
def test_another_name_of_a_database_is_refused(
    kind: str, values: dict[str, Any], value: str
) -> None:
    live = Live((resource(kind),), classes={})
    (message,) = sentences(judge(live, **values))
    assert f"{value} is " in message
    assert f"Set {value} back to vrooli-" in message


def test_databases_of_other_releases_do_not_count() -> None:
    other = resource("PostgresCluster")
    other["metadata"]["annotations"] = {"meta.helm.sh/release-name": "another"}
    live = Live((other,), classes={})
    assert judge(live, pgoPostgresql={"clusterName": "db"}).findings == ()


@pytest.mark.parametrize(
    ("users", "words"),
    [
        ([{"name": "app", "databases": ["vrooli"]}], "the first of pgoPostgresql.users is app"),
        ([{"name": "vrooli", "databases": ["other"]}], "which would be empty"),
    ],
)
def test_another_name_of_the_user_or_its_database_is_refused(
    users: list[dict[str, Any]], words: str
) -> None:
    live = Live((POSTGRES,), classes={})
    (message,) = sentences(judge(live, pgoPostgresql={"users": users}))
    assert words in message


def test_one_more_user_is_let_through() -> None:
    users = [{"name": "vrooli", "databases": ["vrooli"]}, {"name": "more", "databases": ["more"]}]
    assert judge(Live((POSTGRES,), classes={}), pgoPostgresql={"users": users}).findings == ()


def test_instances_of_another_set_only_are_refused() -> None:
    renamed = copy.deepcopy(POSTGRES)
    renamed["spec"]["instances"][0]["name"] = "old"
    (message,) = sentences(judge(Live((renamed,), classes={})))
    assert "instances are in the set old" in message


@pytest.mark.parametrize("enabled", [True, False])
def test_redis_data_neither_leave_their_volumes_nor_get_some(enabled: bool) -> None:
    before = resource("RedisFailover", persistence={"redis": {"enabled": not enabled}})
    values = {"redis": {"enabled": enabled}}
    (message,) = sentences(judge(Live((before,), classes={}), persistence=values))
    assert f"persistence.redis.enabled: {str(enabled).lower()}" in message


def test_a_release_with_external_databases_is_not_checked() -> None:
    without = [item for item in rendered() if item.kind not in data_changes.KINDS]
    assert data_changes.skip_reason(site(tuple(without))) == "these values deploy no database"
    assert data_changes.skip_reason(site(rendered())) == ""


def restoring(*, enabled: bool = True, **status: Any) -> Body:
    """A PostgresCluster for which a restore was asked."""
    body = copy.deepcopy(POSTGRES)
    body["metadata"]["annotations"][RESTORE_ANNOTATION] = "second"
    body["spec"]["backups"]["pgbackrest"]["restore"] = {"enabled": enabled, "repoName": "repo1"}
    body["status"] = {"pgbackrest": {"restore": status}} if status else {}
    return body


@pytest.mark.parametrize(
    "status", [{}, {"id": "first", "finished": True}, {"id": "second", "active": 1}]
)
def test_a_restore_in_progress_stops_a_release(status: Body) -> None:
    (finding,) = judge(Live([restoring(**status)], classes={})).findings
    assert finding.resource == "PostgresCluster/vrooli-pg"
    assert "a restore of its data is in progress" in finding.message


@pytest.mark.parametrize(
    "body",
    [
        restoring(id="second", finished=True),
        restoring(id="second", finished=True, failed=1),
        restoring(enabled=False),
    ],
    ids=["ended", "failed", "disabled"],
)
def test_a_restore_that_has_ended_stops_nobody(body: Body) -> None:
    assert judge(Live([body], classes={})).findings == ()
