"""The rotator: its deployment, environment, permissions and Secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.chart import engine, golden
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError

ROTATOR = "Deployment/demo-rotator"
ALTERNATE = "vrooli-alternate"
EXTERNAL_POSTGRES = {
    "pgoPostgresql": {"enabled": False},
    "externalPostgresql": {"host": "db.example.com"},
}
EXTERNAL_REDIS = {
    "spotahomeRedis": {"enabled": False},
    "externalRedis": {"host": "redis.example.com"},
}
NO_POSTGRES_SECRET = {"vso": {"secrets": {"postgres": {"enabled": False}}}}
OFF = {"rotation": {"enabled": False}}
NO_VSO = {"vso": {"enabled": False}}
PARTS = ("postgres", "redis")


def settings(objects: Mapping[str, Manifest]) -> dict[str, Any]:
    """The rotator's environment; fields of the pod as their path."""
    (container,) = objects[ROTATOR].body["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in container
    return {
        item["name"]: item.get("value") or item["valueFrom"]["fieldRef"]["fieldPath"]
        for item in container["env"]
    }


def rights(objects: Mapping[str, Manifest]) -> set[tuple[str, str, str, str]]:
    """The permissions of the Role: group, kind, name (or *) and verb."""
    return set(_rights(objects["Role/demo-rotator"].body["rules"]))


def _rights(rules: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    for rule in rules:
        assert rule.get("resourceNames") != [], "an empty list of names means every name"
        for group in rule["apiGroups"]:
            for kind in rule["resources"]:
                for name in rule.get("resourceNames", ["*"]):
                    for verb in rule["verbs"]:
                        yield group, kind, name, verb


def each(group: str, kind: str, names: Any, verbs: str) -> set[tuple[str, str, str, str]]:
    """The permissions for each verb on each name."""
    return {(group, kind, name, verb) for name in names for verb in verbs.split()}


def destination(objects: Mapping[str, Manifest], part: str) -> str:
    """The Secret that VSO syncs."""
    name: str = objects[f"VaultStaticSecret/demo-{part}"].body["spec"]["destination"]["name"]
    return name


def is_about(manifest: Manifest) -> bool:
    """Whether an object belongs to the rotator."""
    return manifest.name in {"demo-rotator", "demo-rotation"}


def test_the_rotator_has_these_objects() -> None:
    assert {key for key, manifest in render().items() if is_about(manifest)} == {
        ROTATOR,
        "ServiceAccount/demo-rotator",
        "Role/demo-rotator",
        "RoleBinding/demo-rotator",
        "NetworkPolicy/demo-rotator",
        "Secret/demo-rotation",
    }


@pytest.mark.parametrize(
    "values",
    [OFF, NO_VSO, {**EXTERNAL_POSTGRES, **EXTERNAL_REDIS}],
    ids=["switched off", "without VSO", "with external databases"],
)
def test_there_is_no_rotator_without_a_rotated_database(values: dict[str, Any]) -> None:
    objects = render(values)
    assert not [key for key, manifest in objects.items() if is_about(manifest)]
    assert "rotat" not in json.dumps([dict(manifest.body) for manifest in objects.values()])
    assert ALTERNATE not in json.dumps([dict(manifest.body) for manifest in objects.values()])
    if "VaultStaticSecret/demo-redis" in objects:
        assert destination(objects, "redis") == "vrooli-redis-creds"
        assert destination(objects, "postgres") == "vrooli-postgres-creds"


@pytest.mark.parametrize(
    ("values", "rotated"),
    [
        ({}, {"postgres", "redis"}),
        (EXTERNAL_POSTGRES, {"redis"}),
        (NO_POSTGRES_SECRET, {"redis"}),
        (EXTERNAL_REDIS, {"postgres"}),
    ],
    ids=["both", "external PostgreSQL", "no secret of PostgreSQL", "external Redis"],
)
def test_each_database_that_an_operator_runs_is_rotated(
    values: dict[str, Any], rotated: set[str]
) -> None:
    objects = render(values)
    environment = {name.partition("_")[0].lower() for name in settings(objects)} & set(PARTS)
    assert environment == rotated
    names = {name for _, kind, name, _ in rights(objects) if kind == "secrets"}
    for part in PARTS:
        published = f"vrooli-{part}-creds"
        assert (published in names) is (part in rotated)
        if f"VaultStaticSecret/demo-{part}" in objects:
            source = f"{published}-vault" if part in rotated else published
            assert destination(objects, part) == source


def test_the_rotator_environment_has_no_secret_values() -> None:
    assert settings(render()) == {
        "PORT": "8080",
        "NAMESPACE": "metadata.namespace",
        "DEPLOYMENT": "demo-rotator",
        "STATE_SECRET": "demo-rotation",
        "LOG_LEVEL": "info",
        "CONSUMERS": "demo-server,demo-jobs",
        "POSTGRES_CLUSTER": "vrooli-pg",
        "POSTGRES_USER": "vrooli",
        "POSTGRES_DATABASE": "vrooli",
        "POSTGRES_HOST": "vrooli-pg-pgbouncer",
        "POSTGRES_SOURCE": "vrooli-postgres-creds-vault",
        "POSTGRES_SECRET": "vrooli-postgres-creds",
        "REDIS_FAILOVER": "vrooli-rf",
        "REDIS_SOURCE": "vrooli-redis-creds-vault",
        "REDIS_SECRET": "vrooli-redis-creds",
        "REDIS_REPLICAS": "2",
        "REDIS_SENTINELS": "3",
        "REDIS_PERSISTENT": "true",
    }


def test_the_settings_follow_the_values() -> None:
    environment = settings(
        render(
            {
                "config": {"logLevel": "debug"},
                "pgoPostgresql": {
                    "clusterName": "pg",
                    "users": [{"name": "a", "databases": ["one", "two"]}],
                },
                "spotahomeRedis": {"name": "rf", "redis": {"replicas": 1}},
                "services": {"jobs": {"enabled": False}},
                "vso": {"secrets": {"postgres": {"k8sSecretName": "creds"}}},
            }
        )
    )
    assert (
        environment.items()
        >= {
            "LOG_LEVEL": "debug",
            "CONSUMERS": "demo-server",
            "POSTGRES_CLUSTER": "pg",
            "POSTGRES_USER": "a",
            "POSTGRES_DATABASE": "one",
            "POSTGRES_HOST": "pg-pgbouncer",
            "POSTGRES_SOURCE": "creds-vault",
            "POSTGRES_SECRET": "creds",
            "REDIS_FAILOVER": "rf",
            "REDIS_REPLICAS": "1",
        }.items()
    )


SOURCES = ("vrooli-postgres-creds-vault", "vrooli-redis-creds-vault")
WRITTEN = (
    "demo-rotation",
    "vrooli-postgres-creds",
    "vrooli-redis-creds",
    "vrooli-pg-pguser-vrooli",
    "vrooli-pg-pguser-vrooli-alternate",
)
CONSUMERS = ("demo-server", "demo-jobs")


def test_the_rotator_role_grants_exactly_these_permissions() -> None:
    assert rights(render()) == {
        *each("", "secrets", (*SOURCES, *WRITTEN), "get list watch"),
        *each("", "secrets", WRITTEN, "patch"),
        # resourceNames can't restrict create.
        *each("", "secrets", "*", "create"),
        *each("apps", "deployments", CONSUMERS, "get patch"),
        *each("", "pods", "*", "list"),
        *each("", "pods", ["rfr-vrooli-rf-0", "rfr-vrooli-rf-1"], "delete"),
        *each("databases.spotahome.com", "redisfailovers", ["vrooli-rf"], "patch"),
        *each("", "configmaps", ["rfr-vrooli-rf"], "get"),
        *each("events.k8s.io", "events", "*", "create"),
    }


def test_the_rotator_may_delete_each_redis_and_no_other_pod() -> None:
    objects = render({"spotahomeRedis": {"name": "rf", "redis": {"replicas": 3}}})
    deleted = {
        name for _, kind, name, verb in rights(objects) if (kind, verb) == ("pods", "delete")
    }
    assert deleted == {"rfr-rf-0", "rfr-rf-1", "rfr-rf-2"}


def test_without_redis_the_rotator_deletes_no_pod() -> None:
    granted = rights(render(EXTERNAL_REDIS))
    assert {kind for _, kind, _, _ in granted} == {"secrets", "deployments", "pods", "events"}
    assert {verb for _, kind, _, verb in granted if kind == "pods"} == {"list"}


def test_without_consumers_there_is_no_rule_for_deployments() -> None:
    without_consumers = {"services": {"server": {"enabled": False}, "jobs": {"enabled": False}}}
    objects = render(without_consumers)
    deployments = {name for _, kind, name, _ in rights(objects) if kind == "deployments"}
    assert deployments == set()
    (container,) = objects[ROTATOR].body["spec"]["template"]["spec"]["containers"]
    assert {"name": "CONSUMERS", "value": ""} in container["env"]


def test_the_role_is_bound_to_the_rotator_only() -> None:
    binding = render()["RoleBinding/demo-rotator"].body
    assert binding["roleRef"]["name"] == "demo-rotator"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "demo-rotator", "namespace": "somewhere"}
    ]


def test_one_rotator_runs_at_a_time() -> None:
    spec = render()[ROTATOR].body["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_rotator_pod_follows_the_values() -> None:
    scheduling = {
        "nodeSelector": {"pool": "web"},
        "tolerations": [{"key": "web", "operator": "Exists"}],
        "priorityClassName": "web",
        "affinity": {"podAffinity": {}},
    }
    image = {"repository": "ghcr.io/a/rotator", "tag": "1", "podAnnotations": {"a": "b"}}
    template = render({"rotation": {**scheduling, **image}})[ROTATOR].body["spec"]["template"]
    assert template["metadata"]["annotations"]["a"] == "b"
    spec = template["spec"]
    assert spec.items() >= scheduling.items()
    (container,) = spec["containers"]
    assert container["image"] == "ghcr.io/a/rotator:1"
    assert container["name"] == "rotator"
    assert container["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    for kind in ("startup", "liveness", "readiness"):
        assert container[f"{kind}Probe"]["httpGet"]["path"] == "/healthcheck"
    assert container["resources"] == {
        "requests": {"cpu": "10m", "memory": "64Mi"},
        "limits": {"cpu": "500m", "memory": "192Mi"},
    }


def test_the_rotator_image_uses_the_registry() -> None:
    (container,) = render({"image": {"registry": "registry.example.com"}})[ROTATOR].body["spec"][
        "template"
    ]["spec"]["containers"]
    assert container["image"] == "registry.example.com/rotator:development"


def test_vso_restarts_no_deployment_for_a_rotated_secret() -> None:
    objects = render()
    for part in PARTS:
        assert "rolloutRestartTargets" not in objects[f"VaultStaticSecret/demo-{part}"].body["spec"]
    shared = objects["VaultStaticSecret/demo-shared-secrets-server-jobs"].body["spec"]
    assert [target["name"] for target in shared["rolloutRestartTargets"]] == list(CONSUMERS)


def test_pods_and_redis_read_the_published_secrets() -> None:
    objects = render()
    for name in CONSUMERS:
        (container,) = objects[f"Deployment/{name}"].body["spec"]["template"]["spec"]["containers"]
        named = {item["secretRef"]["name"] for item in container["envFrom"] if "secretRef" in item}
        assert {"vrooli-postgres-creds", "vrooli-redis-creds"} <= named
        assert not named & set(SOURCES)
    auth = objects["RedisFailover/vrooli-rf"].body["spec"]["auth"]
    assert auth == {"secretPath": "vrooli-redis-creds"}


def test_only_pgo_creates_the_secrets_of_its_users() -> None:
    objects = render()
    assert not [key for key in objects if "pguser" in key]
    assert "VaultStaticSecret/demo-postgres-user" not in objects


def test_the_state_secret_is_rendered_empty() -> None:
    body = render()["Secret/demo-rotation"].body
    assert body["type"] == "Opaque"
    assert not {"data", "stringData"} & body.keys()


def test_the_first_user_has_a_second_login_role_with_the_same_databases() -> None:
    users = [
        {"name": "a", "databases": ["one", "two"], "options": "CONNECTION LIMIT 9"},
        {"name": "b", "databases": ["three"]},
    ]
    objects = render({"pgoPostgresql": {"users": users}})
    cluster = objects["PostgresCluster/vrooli-pg"].body["spec"]
    assert cluster["users"] == [*users, {**users[0], "name": "a-alternate"}]
    sql = objects["ConfigMap/vrooli-pg-init-sql"].body["data"]["init.sql"].splitlines()
    assert sql[-2:] == [
        'GRANT "a" TO "a-alternate";',
        'ALTER ROLE "a-alternate" SET role TO "a";',
    ]
    assert not [line for line in sql[:-2] if "alternate" in line]


def test_pgbouncer_does_not_reset_the_role_of_a_session() -> None:
    def reset(values: dict[str, Any]) -> str | None:
        spec = render(values)["PostgresCluster/vrooli-pg"].body["spec"]
        query: str | None = spec["proxy"]["pgBouncer"]["config"]["global"].get("server_reset_query")
        return query

    query = reset({}) or ""
    assert query.endswith("; RESET ROLE")
    assert "DISCARD ALL" not in query
    # All that DISCARD ALL does, but for the role.
    for part in ("PLANS", "TEMP", "SEQUENCES"):
        assert f"DISCARD {part};" in query
    for part in (
        "CLOSE ALL",
        "RESET ALL",
        "DEALLOCATE ALL",
        "UNLISTEN *",
        "pg_advisory_unlock_all",
    ):
        assert part in query
    assert reset(OFF) is None
    own = {"pgoPostgresql": {"pgBouncer": {"config": {"server_reset_query": "RESET ROLE"}}}}
    assert reset(own) == "RESET ROLE"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {
                "pgoPostgresql": {
                    "users": [
                        {"name": "a", "databases": []},
                        {"name": "a-alternate", "databases": []},
                    ]
                }
            },
            "a-alternate is reserved as the second login role of a",
        ),
        (
            {"pgoPostgresql": {"pgBouncer": {"config": {"server_reset_query": "discard all"}}}},
            "DISCARD ALL resets the role",
        ),
        (
            {"vso": {"secrets": {"redis": {"k8sSecretName": "vrooli-postgres-creds-vault"}}}},
            "vrooli-postgres-creds-vault is already used",
        ),
        (
            {"vso": {"secrets": {"redis": {"k8sSecretName": "a" * 250}}}},
            "more than 253 characters",
        ),
    ],
)
def test_values_that_conflict_with_rotation_are_rejected(
    values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        render(values)
    render({**values, **OFF})


@pytest.mark.parametrize("case", golden.CASES)
def test_no_object_contains_a_secret_value(case: str) -> None:
    environment = ENVIRONMENTS.get(case, golden.DEFAULT)
    objects = engine.render(
        golden.settings(case), release=environment.release, namespace=environment.namespace
    )
    for manifest in objects:
        if manifest.kind == "Secret":
            assert not {"data", "stringData"} & manifest.body.keys(), manifest.key
