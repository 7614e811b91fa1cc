"""Values files of upstream's chart become values that this chart accepts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from vrooli.chart import engine, reference, values
from vrooli.chart.upstream import conversion, keys, mapping, validation
from vrooli.chart.upstream import reference as upstream_reference
from vrooli.chart.upstream.conversion import Entry, Outcome
from vrooli.chart.upstream.rule import APPLICATIONS
from vrooli.errors import UsageError
from vrooli.events import silent
from vrooli.workflows.values import ConvertOptions, convert

# A value of each secret below; it must not be in any output.
PASSWORD = "Xk83jdQmw02pLsa"


def _converted(upstream: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Entry], list[str]]:
    output, entries = conversion.convert(upstream)
    entries, required = validation.validated(output, entries)
    return output.values(), {entry.source: entry for entry in entries}, required


def _at(tree: Any, path: str) -> Any:
    for key in keys.parse(path):
        tree = tree[key]
    return tree


@pytest.mark.parametrize(
    ("upstream", "key", "value"),
    [
        ({"pgoPostgresql": {"instances": {"count": 3}}}, "pgoPostgresql.instances", 3),
        (
            {"pgoPostgresql": {"instances": [{"name": "a", "replicas": 2}]}},
            "pgoPostgresql.instances",
            2,
        ),
        (
            {"pgoPostgresql": {"instances": {"storage": {"size": "7Gi"}}}},
            "persistence.postgres.size",
            "7Gi",
        ),
        (
            {"pgoPostgresql": {"users": [{"name": "a_b", "databases": ["c"]}]}},
            "pgoPostgresql.users.0.name",
            "a-b",
        ),
        (
            {"pgoPostgresql": {"pgBouncer": {"defaultPoolSize": 9}}},
            "pgoPostgresql.pgBouncer.config.default_pool_size",
            "9",
        ),
        (
            {"spotahomeRedis": {"redis": {"storage": {"emptyDir": {}}}}},
            "persistence.redis.enabled",
            False,
        ),
        (
            {
                "spotahomeRedis": {
                    "redis": {
                        "storage": {
                            "persistentVolumeClaim": {
                                "spec": {"resources": {"requests": {"storage": "3Gi"}}},
                                "storageClassName": "fast",
                            }
                        }
                    }
                }
            },
            "persistence.redis",
            {"size": "3Gi", "storageClass": "fast"},
        ),
        ({"adminer": {"enabled": False}}, "services.adminer.enabled", False),
        ({"adminer": {"image": {"tag": 4.8}}}, "services.adminer.tag", "4.8"),
        ({"image": {"tag": "2.0"}}, "services.jobs.tag", "2.0"),
        (
            {"autoscaling": {"server": {"maxReplicas": 7}}},
            "services.server.autoscaling.maxReplicas",
            7,
        ),
        (
            {"services": {"ui": {"env": {"A": 1, "B": True}}}},
            "services.ui.extraEnv",
            {"A": "1", "B": "true"},
        ),
        (
            {"externalDatabase": {"enabled": True, "host": "db.example.com"}},
            "externalPostgresql.host",
            "db.example.com",
        ),
        (
            {"externalDatabase": {"enabled": True, "host": "db.example.com"}},
            "pgoPostgresql.enabled",
            False,
        ),
        (
            {"services": {"nsfwDetector": {"probes": {"useTcpSocket": True}}}},
            "services.nsfwDetector.probes.type",
            "tcp",
        ),
        ({"securityContext": {"runAsUser": 1234}}, "podSecurityContext.runAsUser", 1234),
        (
            {"imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
            "image.pullSecrets",
            ["a", "b"],
        ),
        (
            {"vso": {"appRoleId": "id", "appRoleSecretRef": "mine"}},
            "vso.auth.appRole",
            {"roleId": "id", "mount": "approle", "secretName": "mine"},
        ),
        ({"services": {"ui": {"type": "NodePort"}}}, "services.ui.service.type", "NodePort"),
        (
            {"serviceAccount": {"annotations": {"a.example.com/b": "c"}}},
            "services.jobs.pod.serviceAccountAnnotations",
            {"a.example.com/b": "c"},
        ),
        (
            {"vso": {"secrets": {"redis": {"templates": {"a": "{{ .Data.b }}"}}}}},
            "vso.secrets.redis.templates.a",
            "{{ .Secrets.b }}",
        ),
        (
            {"healthChecks": {"livenessProbe": {"periodSeconds": 11}}},
            "services.ui.probes.liveness.periodSeconds",
            11,
        ),
    ],
)
def test_a_key_of_upstream_becomes_one_of_this_chart(
    upstream: dict[str, Any], key: str, value: Any
) -> None:
    converted, entries, required = _converted(upstream)
    assert _at(converted, key) == value
    assert required == []
    assert {entry.outcome for entry in entries.values()} <= {Outcome.CONVERTED, Outcome.OMITTED}


def test_backups_to_s3_become_the_second_repository() -> None:
    s3 = {
        "bucket": "b",
        "endpoint": "s3.example.com",
        "region": "r",
        "secretName": "c",
        "path": "/p",
    }
    repo = {"pgoPostgresql": {"backups": {"pgBackRest": {"repos": [{"name": "repo1", "s3": s3}]}}}}
    converted, entries, required = _converted(repo)
    assert converted["pgoPostgresql"]["backup"]["s3"] == {
        **{key: value for key, value in s3.items() if key != "path"},
        "enabled": True,
    }
    assert required == []
    assert entries["pgoPostgresql.backups.pgBackRest.repos.0.s3.path"].outcome is Outcome.OMITTED


def test_an_ingress_retains_its_hosts_paths_and_class() -> None:
    converted, _, required = _converted(
        {
            "ingress": {
                "enabled": True,
                "annotations": {"kubernetes.io/ingress.class": "nginx", "a.example.com/b": True},
                "hosts": [
                    {
                        "host": "a.example.com",
                        "paths": [
                            {
                                "path": "/api",
                                "pathType": "Prefix",
                                "service": {"name": "server", "port": 1},
                            },
                            {"path": "/", "pathType": "Prefix", "service": "ui", "port": 3000},
                        ],
                    }
                ],
                "tls": [{"secretName": "t", "hosts": ["a.example.com"]}],
            }
        }
    )
    assert required == []
    assert converted["ingress"] == {
        "enabled": True,
        "className": "nginx",
        "annotations": {"a.example.com/b": "true"},
        "hosts": [
            {
                "host": "a.example.com",
                "paths": [
                    {"path": "/api", "pathType": "Prefix", "service": "server"},
                    {"path": "/", "pathType": "Prefix", "service": "ui"},
                ],
            }
        ],
        "tls": [{"secretName": "t", "hosts": ["a.example.com"]}],
    }


def test_the_domain_of_production_replaces_each_host() -> None:
    path = {"path": "/", "pathType": "Prefix", "service": "ui"}
    converted, entries, _ = _converted(
        {
            "productionDomain": "b.example.com",
            "ingress": {
                "hosts": [
                    {"host": "a.example.com", "paths": [path]},
                    {"host": "www.example.com", "paths": [path]},
                ]
            },
        }
    )
    assert [item["host"] for item in converted["ingress"]["hosts"]] == ["b.example.com"]
    first = entries["ingress.hosts.0.host"]
    assert (first.outcome, first.reason) == (
        Outcome.OVERRIDDEN,
        "productionDomain takes precedence.",
    )


@pytest.mark.parametrize(
    ("upstream", "loser", "winner"),
    [
        (
            {"vaultAddr": "https://a.example.com", "vso": {"vaultAddr": "https://b.example.com"}},
            "vso.vaultAddr",
            "vaultAddr",
        ),
        (
            {"image": {"tag": "1"}, "services": {n: {"tag": "2"} for n in APPLICATIONS}},
            "image.tag",
            "services",
        ),
        (
            {"spotahomeRedis": {"redis": {"image": "a:1"}, "sentinel": {"image": "a:2"}}},
            "spotahomeRedis.sentinel.image",
            "spotahomeRedis.redis.image",
        ),
        (
            {"externalDatabase": {"enabled": True}, "pgoPostgresql": {"enabled": True}},
            "externalDatabase.enabled",
            "pgoPostgresql.enabled",
        ),
    ],
)
def test_of_two_keys_for_one_setting_the_report_names_the_one_that_applies(
    upstream: dict[str, Any], loser: str, winner: str
) -> None:
    _, entries, _ = _converted(upstream)
    assert entries[loser].outcome is Outcome.OVERRIDDEN
    assert winner in entries[loser].reason


def test_two_keys_with_the_same_value_do_not_conflict() -> None:
    same = {"redis": {"image": "a:1"}, "sentinel": {"image": "a:1"}}
    _, entries, _ = _converted({"spotahomeRedis": same})
    assert {entry.outcome for entry in entries.values()} == {Outcome.CONVERTED}


@pytest.mark.parametrize(
    ("upstream", "command"),
    [
        (
            {
                "pgoPostgresql": {
                    "users": [{"name": "a", "databases": [], "password": {"value": PASSWORD}}]
                }
            },
            "vrooli/secrets/postgres DB_PASSWORD=-",
        ),
        ({"externalDatabase": {"password": PASSWORD}}, "vrooli/secrets/postgres DB_PASSWORD=-"),
        ({"externalRedis": {"password": PASSWORD}}, "vrooli/secrets/redis REDIS_PASSWORD=-"),
        ({"externalRedis": {"password": 123456789}}, "vrooli/secrets/redis REDIS_PASSWORD=-"),
        (
            {"spotahomeRedis": {"redis": {"customConfig": [f"requirepass {PASSWORD}"]}}},
            "vrooli/secrets/redis REDIS_PASSWORD=-",
        ),
        (
            {"services": {"server": {"env": {"JWT_SECRET": PASSWORD}}}},
            "vrooli/secrets/shared-server-jobs JWT_SECRET=-",
        ),
        (
            {"services": {"server": {"env": {"REDIS_PASSWORD": PASSWORD}}}},
            "vrooli/secrets/redis REDIS_PASSWORD=-",
        ),
        (
            {
                "services": {
                    "jobs": {"env": {"DB_URL": f"postgresql://vrooli:{PASSWORD}@db:5432/vrooli"}}
                }
            },
            "vrooli/secrets/shared-server-jobs DB_URL=-",
        ),
        ({"secrets": {"api": {"KEY": PASSWORD}}}, "vrooli/secrets/shared-server-jobs KEY=-"),
        ({"config": {"apiKey": PASSWORD}}, "vrooli/secrets/shared-server-jobs apiKey=-"),
        ({"dockerhub": {"password": PASSWORD}}, "vrooli/dockerhub/pull-credentials password=-"),
        ({"unknown": {"deep": [{"token": PASSWORD}]}}, "vrooli/secrets/shared-server-jobs token=-"),
    ],
)
def test_a_secret_is_not_written_and_the_report_names_its_place_in_vault(
    upstream: dict[str, Any], command: str
) -> None:
    output, entries = conversion.convert(upstream)
    secrets = [entry for entry in entries if entry.outcome is Outcome.SECRET]
    assert [command in entry.reason for entry in secrets] == [True]
    assert PASSWORD not in f"{output.values()}{entries}"
    assert "123456789" not in f"{output.values()}{entries}"


@pytest.mark.parametrize(
    "upstream",
    [
        {"externalRedis": {"existingSecret": "redis-credentials"}},
        {"externalRedis": {"secretKeys": {"passwordKey": "password"}}},
        {
            "pgoPostgresql": {
                "users": [{"name": "a", "databases": [], "password": {"type": "AlphaNumeric"}}]
            }
        },
        {"tlsSecretName": "vrooli-tls"},
        {"vso": {"appRoleSecretRef": "vault-approle"}},
    ],
)
def test_the_name_of_a_secret_is_no_secret(upstream: dict[str, Any]) -> None:
    _, entries = conversion.convert(upstream)
    assert Outcome.SECRET not in {entry.outcome for entry in entries}


@pytest.mark.parametrize(
    ("upstream", "key", "reason"),
    [
        ({"replicaCount": {"nsfw": 1}}, "replicaCount.nsfw", "no such key"),
        ({"services": {"api": {"port": 1}}}, "services.api.port", "no such key"),
        ({"services": {"ui": {"port": "3000"}}}, "services.ui.port", "got string, want integer"),
        ({"config": {"LOG_LEVEL": "debug"}}, "config.LOG_LEVEL", "the chart sets it"),
        (
            {"spotahomeRedis": {"redis": {"replicas": 40}}},
            "spotahomeRedis.redis.replicas",
            "maximum",
        ),
        (
            {"securityContext": {"readOnlyRootFilesystem": False}},
            "securityContext.readOnlyRootFilesystem",
            "rejects",
        ),
        (
            {"vso": {"secrets": {"sixth": {"enabled": True}}}},
            "vso.secrets.sixth.enabled",
            "no such key. Add a further secret to `vso.extraSecrets`, by its name.",
        ),
        ({"vso": {"appRoleMount": "a"}}, "vso.appRoleMount", "vso.auth.appRole.mount"),
        ({"adminer": {"env": {"A": "{{ .Values.b }}"}}}, "adminer.env.A", "templates"),
        ({"nonsense": {"a": 1}}, "nonsense.a", "Neither"),
        ({"a'b, 'c": {"x\u202ey": 1}}, "[a'b, 'c][x\u202ey]", "Neither"),
        ({"services": {"ui": None}}, "services.ui", "empty"),
        ({"productionDomain": "a.example.com"}, "productionDomain", "No value has the key"),
        ({"services": "none"}, "services", "Neither"),
        (
            {"spotahomeRedis": {"redis": {"customConfig": ["a"]}}},
            "spotahomeRedis.redis.customConfig.0",
            "pattern",
        ),
    ],
)
def test_the_report_explains_why_a_key_has_no_place(
    upstream: dict[str, Any], key: str, reason: str
) -> None:
    converted, entries, required = _converted(upstream)
    assert entries[key].outcome is Outcome.OMITTED
    assert reason in entries[key].reason
    assert required == []
    assert engine.value_problems(converted) == ()


def test_a_rejected_item_of_a_list_leaves_the_others() -> None:
    lines = ["maxmemory 1gb", "bad", "maxmemory 1gb", "worse", "timeout 0"]
    converted, _, _ = _converted({"spotahomeRedis": {"redis": {"customConfig": lines}}})
    assert converted["spotahomeRedis"]["redis"]["customConfig"] == ["maxmemory 1gb", "timeout 0"]


def test_what_the_chart_requires_in_addition_is_named() -> None:
    _, _, required = _converted({"externalDatabase": {"enabled": True, "host": ""}})
    assert required == ["externalPostgresql.host: minLength: got 0, want 1"]


def test_what_a_template_rejects_is_named_by_its_value() -> None:
    _, _, required = _converted(
        {"config": {"env": "production"}, "vaultAddr": "http://vault.example.com"}
    )
    assert [text.partition(" ")[0] for text in required] == ["vso.vaultAddr:"]


async def test_of_two_files_and_of_two_keys_in_one_file_the_last_one_applies(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "values.yaml", tmp_path / "values-prod.yaml"
    first.write_text(
        "pgoPostgresql: {instances: {count: 1}}\nadminer: {port: 1}\nadminer: {port: 2}\n"
    )
    second.write_text("pgoPostgresql: {instances: {count: 3}}\n")
    target = tmp_path / "out.yaml"
    result = await convert(ConvertOptions((first, second), target), silent)
    assert values.read(target) == {
        "pgoPostgresql": {"instances": 3},
        "services": {"adminer": {"port": 2}},
    }
    assert [
        (item.key, item.reason) for item in result.keys if item.outcome is Outcome.OVERRIDDEN
    ] == [
        ("pgoPostgresql.instances.count", f"{first} is overridden by {second}."),
        ("adminer", f"{first} contains this key twice; the last one applies, as in Helm."),
    ]
    with pytest.raises(UsageError, match="already exists"):
        await convert(ConvertOptions((first,), target), silent)


async def test_a_file_that_helm_cannot_read_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    for text in ("- 1\n", "a: !secret b\n", "a: 1\n---\nb: 1\n"):
        path.write_text(text)
        with pytest.raises(UsageError):
            await convert(ConvertOptions((path,)), silent)


def test_the_place_of_a_secret_is_the_path_in_the_values() -> None:
    secrets = {"redis": {"vaultPath": "kv/data/shop/redis"}}
    upstream = {"vso": {"secrets": secrets}, "externalRedis": {"password": PASSWORD}}
    _, entries = conversion.convert(upstream)
    assert "`vault kv patch -mount=kv shop/redis REDIS_PASSWORD=-`" in entries[-1].reason


async def test_no_secret_of_a_file_is_in_the_result(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(
        yaml.safe_dump({"externalDatabase": {"password": PASSWORD, "host": "db.example.com"}})
    )
    result = await convert(ConvertOptions((path,)), silent)
    assert PASSWORD not in json.dumps(result.model_dump(mode="json"))


def test_each_rule_has_a_target_in_this_chart_or_a_reason() -> None:
    described = {".".join(value.path) for value in reference.described_values()}
    for rule in mapping.RULES:
        assert bool(rule.targets) or rule.note or rule.secret, rule.key
        for target in rule.targets:
            assert _is_described(target, described), f"{rule.key}: {target}"


def _is_described(target: str, described: set[str]) -> bool:
    """Whether a key, one that contains it, or one below it is documented in values.yaml."""
    path = keys.parse(target)
    for name in described:
        other = keys.parse(name)
        length = min(len(path), len(other))
        pairs = zip(path[:length], other[:length], strict=True)
        if all(key in (keys.ANY, part) for key, part in pairs):
            return True
    return False


def test_the_mapping_in_the_readme_is_the_table() -> None:
    page = reference.readme().read_text(encoding="utf-8")
    expected = upstream_reference.refreshed(page)
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        reference.readme().write_text(expected, encoding="utf-8")
        page = expected
    assert page == expected
