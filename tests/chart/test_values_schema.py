"""The chart rejects invalid values with a message that names the key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from support.chart.rendering import render
from vrooli import project
from vrooli.chart import reference, values
from vrooli.errors import UsageError

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ingres": {}}, "ingres"),
    ({"services": {"server": {"replicas": 3}}}, "replicas"),
    ({"services": {"ui": {"probes": {"livenesPath": "/"}}}}, "livenesPath"),
    ({"services": {"ui": {"port": "3000"}}}, "/services/ui/port"),
    ({"services": {"ui": {"port": 70000}}}, "/services/ui/port"),
    ({"services": {"jobs": {"resources": {"limits": {"cpu": "much"}}}}}, "limits/cpu"),
    ({"services": {"server": {"probes": {"livenessPath": None}}}}, "livenessPath"),
    ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
    ({"secrets": {"api": {"KEY": "value"}}}, "/secrets"),
    ({"persistence": {"postgres": {"enabled": False}}}, "/persistence/postgres/enabled"),
    ({"persistence": {"redis": {"size": "0"}}}, "/persistence/redis/size"),
    ({"pgoPostgresql": {"enabled": False}}, "/externalPostgresql/host"),
    ({"spotahomeRedis": {"enabled": False}}, "/externalRedis/host"),
    ({"pgoPostgresql": {"users": []}}, "/pgoPostgresql/users"),
    ({"pgoPostgresql": {"users": [{"name": "a_b", "databases": ["a"]}]}}, "/users/0/name"),
    ({"pgoPostgresql": {"synchronous": True}}, "/pgoPostgresql/instances"),
    ({"pgoPostgresql": {"patroni": {"leaderLeaseDurationSeconds": 19}}}, "DurationSeconds"),
    ({"pgoPostgresql": {"patroni": {"syncPeriodSeconds": 11}}}, "syncPeriodSeconds"),
    ({"pgoPostgresql": {"backup": {"s3": {"enabled": True}}}}, "s3/bucket"),
    ({"pgoPostgresql": {"pgBouncer": {"config": {"max_client_conn": 5}}}}, "max_client_conn"),
    ({"spotahomeRedis": {"redis": {"replicas": 4}}}, "/spotahomeRedis/redis/replicas"),
    ({"spotahomeRedis": {"sentinel": {"replicas": 1}}}, "/spotahomeRedis/redis/replicas"),
    ({"ingress": {"enabled": True}}, "/ingress/hosts"),
    (
        {"ingress": {"hosts": [{"host": "a.b", "paths": [{"path": "/", "service": "api"}]}]}},
        "paths/0/service",
    ),
    ({"externalPostgresql": {"host": "db.example.com"}}, "/externalPostgresql/host"),
    ({"externalPostgresql": {"sslmode": "prefer"}}, "/externalPostgresql/sslmode"),
    ({"externalRedis": {"host": "redis.example.com"}}, "/externalRedis/host"),
    ({"ingress": {"certManager": {"issuer": "letsencrypt"}}}, "/ingress/tls"),
    ({"ingress": {"certManager": {"kind": "Vault"}}}, "/ingress/certManager/kind"),
    ({"ingress": {"tls": [{"secretName": "a", "hosts": []}]}}, "/ingress/tls/0/hosts"),
    ({"ingress": {"tls": [{"secretName": "a", "hosts": [""]}]}}, "/ingress/tls/0/hosts/0"),
    ({"monitoring": {"services": {"api": "/metrics"}}}, "/monitoring/services"),
    ({"monitoring": {"services": {"server": "metrics"}}}, "/monitoring/services/server"),
    ({"monitoring": {"labels": {"a b": "c"}}}, "/monitoring/labels"),
    ({"monitoring": {"interval": "often"}}, "/monitoring/interval"),
    ({"networkPolicies": {"enabled": "yes"}}, "/networkPolicies/enabled"),
    (
        {"networkPolicies": {"apiServer": {"cidrs": ["10.96.0.1"]}}},
        "/networkPolicies/apiServer/cidrs/0",
    ),
    ({"networkPolicies": {"extraEgress": {"server": [{"from": []}]}}}, "extraEgress/server/0"),
    ({"config": {"extra": {"NOT-A-NAME": 1}}}, "/config/extra"),
    ({"services": {"ui": {"resources": {"limits": {"": 1}}}}}, "/services/ui/resources/limits"),
    ({"monitoring": {"interval": "1.5m"}}, "/monitoring/interval"),
    (
        {"networkPolicies": {"apiServer": {"cidrs": ["10.96.0.1/33"]}}},
        "at '/networkPolicies/apiServer/cidrs/0'",
    ),
    ({"networkPolicies": {"extraEgress": {"jobs": [{"to": [{}]}]}}}, "extraEgress/jobs/0/to/0"),
    ({"networkPolicies": {"extraEgress": {"api": []}}}, "/networkPolicies/extraEgress"),
    ({"services": {"ui": {"affinity": {"podAfinity": {}}}}}, "podAfinity"),
    ({"services": {"ui": {"writablePaths": ["/a: b"]}}}, "/services/ui/writablePaths/0"),
    ({"services": {"ui": {"extraEnv": {"PORT": 1}}}}, "PORT"),
    ({"services": {"ui": {"podAnnotations": {"a b": "c"}}}}, "/services/ui/podAnnotations"),
    ({"services": {"ui": {"nodeSelector": {"a": "b c"}}}}, "/services/ui/nodeSelector/a"),
    ({"services": {"ui": {"tolerations": [{"operator": "Equal"}]}}}, "tolerations/0"),
    ({"services": {"ui": {"probes": {"startup": {"successThreshold": 2}}}}}, "successThreshold"),
    ({"services": {"ui": {"podDisruptionBudget": {"maxUnavailable": "101%"}}}}, "maxUnavailable"),
    ({"services": {"ui": {"resources": {"limits": {"gpu": 1}}}}}, "gpu"),
    ({"config": {"extra": {"NODE_ENV": "x"}}}, "NODE_ENV"),
    ({"podSecurityContext": {"runAsRoot": True}}, "runAsRoot"),
    ({"config": {"extra": {"NODE_ENV": "x"}}}, "at '/config/extra/NODE_ENV'"),
    (
        {"services": {"server": {"extraEnv": {"REDIS_URL": "x"}}}},
        "at '/services/server/extraEnv/REDIS_URL'",
    ),
    ({"podSecurityContext": {"runAsUser": 0}}, "/podSecurityContext/runAsUser"),
    ({"podSecurityContext": {"runAsNonRoot": False}}, "/podSecurityContext/runAsNonRoot"),
    ({"podSecurityContext": {"runAsNonRoot": None}}, "runAsNonRoot"),
    ({"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile/type"),
    ({"podSecurityContext": {"seLinuxOptions": {"user": "root"}}}, "user"),
    ({"containerSecurityContext": {"runAsUser": 0}}, "/containerSecurityContext/runAsUser"),
    ({"containerSecurityContext": {"allowPrivilegeEscalation": True}}, "allowPrivilegeEscalation"),
    ({"containerSecurityContext": {"readOnlyRootFilesystem": False}}, "readOnlyRootFilesystem"),
    ({"containerSecurityContext": {"capabilities": {"drop": ["KILL"]}}}, "capabilities/drop"),
    ({"services": {"ui": {"resources": {"limits": None}}}}, "at '/services/ui/resources'"),
    ({"services": {"ui": {"resources": {"requests": None}}}}, "at '/services/ui/resources'"),
    ({"services": {"ui": {"resources": {"limits": {"cpu": None}}}}}, "/services/ui/resources/lim"),
    ({"vso": {"secrets": {"redis": {"enabled": False}}}}, "at '/vso/secrets/redis/enabled'"),
    ({"services": {"server": {"repository": "a/b:1"}}}, "/services/server/repository"),
    ({"tests": {"image": {"repository": "a/b:1"}}}, "/tests/image/repository"),
    ({"services": {"server": {"tag": "1@sha256:12"}}}, "/services/server/tag"),
    ({"spotahomeRedis": {"image": "redis@sha256:12"}}, "/spotahomeRedis/image"),
    ({"containerSecurityContext": {"privileged": True}}, "/containerSecurityContext/privileged"),
    ({"fullnameOverride": "a.b"}, "/fullnameOverride"),
    ({"image": {"registry": "{{ .Values.registry }}"}}, "/image/registry"),
    ({"ingress": {"hosts": [{"host": "10.0.0.1", "paths": []}]}}, "/ingress/hosts/0/host"),
    ({"ingress": {"className": "a..b"}}, "/ingress/className"),
    ({"pgoPostgresql": {"pgBouncer": {"config": {"a: b": "c"}}}}, "pgBouncer/config"),
    ({"pgoPostgresql": {"backup": {"schedules": {"full": "@often"}}}}, "schedules/full"),
    (
        {"networkPolicies": {"extraEgress": {"ui": [{"to": [{"podSelector": {"a": "b"}}]}]}}},
        "extraEgress/ui/0/to/0/podSelector",
    ),
    ({"vso": {"vaultAddr": "vault:8200"}}, "/vso/vaultAddr"),
    ({"vso": {"vaultAddr": "http://vault:8200 # a"}}, "/vso/vaultAddr"),
    ({"vso": {"refreshAfter": "often"}}, "/vso/refreshAfter"),
    ({"vso": {"vaultNamespace": "admin/"}}, "/vso/vaultNamespace"),
    ({"vso": {"vaultNamespace": "a b"}}, "/vso/vaultNamespace"),
    ({"vso": {"secrets": {"redis": {"vaultPath": "secret/vrooli/redis"}}}}, "redis/vaultPath"),
]


@pytest.mark.parametrize(("wrong", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_an_invalid_value_is_rejected_with_its_key(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as refused:
        render(wrong)
    assert named in refused.value.message


S3 = {"enabled": True, "bucket": "b", "endpoint": "e", "region": "r", "secretName": "s"}


@pytest.mark.parametrize("key", ["bucket", "endpoint", "region", "secretName"])
def test_backups_to_s3_require_each_setting(key: str) -> None:
    render({"pgoPostgresql": {"backup": {"s3": S3}}})
    with pytest.raises(UsageError, match=f"/pgoPostgresql/backup/s3/{key}"):
        render({"pgoPostgresql": {"backup": {"s3": {**S3, key: ""}}}})


@pytest.mark.parametrize("sentinels", range(1, 9))
def test_more_redis_than_sentinels_are_rejected(sentinels: int) -> None:
    """The operator would silently stop reconciling."""

    def settings(replicas: int) -> dict[str, Any]:
        return {"redis": {"replicas": replicas}, "sentinel": {"replicas": sentinels}}

    render({"spotahomeRedis": settings(sentinels)})
    with pytest.raises(UsageError, match="/spotahomeRedis/redis/replicas"):
        render({"spotahomeRedis": settings(sentinels + 1)})


def ingress(*paths: str, **more: Any) -> dict[str, Any]:
    """An Ingress with one host and a path for each of these services."""
    routes = [{"path": f"/{service}", "service": service} for service in paths]
    return {"ingress": {"enabled": True, "hosts": [{"host": "a.b", "paths": routes}], **more}}


CONFLICTS: list[tuple[dict[str, Any], str]] = [
    (
        {**ingress("adminer"), "services": {"adminer": {"enabled": False}}},
        r'ingress\.hosts.*"adminer".*disabled',
    ),
    (
        {"services": {"ui": {"autoscaling": {"enabled": True, "minReplicas": 9}}}},
        r"services\.ui\.autoscaling\.minReplicas",
    ),
    ({"services": {"jobs": {"drainSeconds": 60}}}, r"services\.jobs\.drainSeconds"),
    (
        {"services": {"ui": {"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": 1}}}}},
        r"services\.ui\.resources\.requests\.cpu: 1500m is greater than the limit, 1",
    ),
    (
        {"spotahomeRedis": {"redis": {"resources": {"requests": {"memory": "1Gi"}}}}},
        r"spotahomeRedis\.redis\.resources\.requests\.memory",
    ),
    (
        {"services": {"jobs": {"resources": {"requests": {"a.io/b": 2}, "limits": {"a.io/b": 3}}}}},
        r"services\.jobs\.resources\.requests\.a\.io/b: the request of a device",
    ),
    (
        {"pgoPostgresql": {"users": [{"name": "a", "databases": ["a"]}] * 2}},
        r"pgoPostgresql\.users: a is listed twice",
    ),
    (
        {"vso": {"secrets": {"redis": {"k8sSecretName": "vrooli-postgres-creds"}}}},
        r"vso\.secrets\.redis\.k8sSecretName: vrooli-postgres-creds .* vso\.secrets\.postgres",
    ),
    (
        {
            "pgoPostgresql": {
                "backup": {
                    "schedules": {"full": "@daily"},
                    "s3": {**S3, "schedules": {"incremental": "@daily"}},
                }
            }
        },
        r"pgoPostgresql\.backup\.s3\.schedules\.incremental: @daily",
    ),
    (
        {"networkPolicies": {"apiServer": {"cidrs": ["10.96.0.1/12"]}}},
        r"networkPolicies\.apiServer\.cidrs: 10\.96\.0\.1/12 has bits",
    ),
    (
        {"networkPolicies": {"extraEgress": {"ui": [{"ports": [{"port": 9, "endPort": 8}]}]}}},
        r"networkPolicies\.extraEgress\.ui: endPort 8",
    ),
    (
        ingress("ui", className="a", annotations={"kubernetes.io/ingress.class": "b"}),
        r"ingress\.annotations: kubernetes\.io/ingress\.class",
    ),
    (ingress("ui", tls=[{"secretName": "s", "hosts": ["c.d"]}]), r"ingress\.tls: c\.d"),
    (
        ingress(
            "ui",
            annotations={"cert-manager.io/issuer": "other"},
            certManager={"issuer": "one"},
            tls=[{"secretName": "s", "hosts": ["a.b"]}],
        ),
        r"ingress\.annotations: cert-manager\.io/issuer",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), CONFLICTS, ids=[message for _, message in CONFLICTS])
def test_conflicting_values_are_rejected(wrong: dict[str, Any], message: str) -> None:
    """Conflicts between two values, which a schema can't express."""
    with pytest.raises(UsageError, match=message):
        render(wrong)


def test_all_conflicts_are_reported_at_once() -> None:
    wrong = {name: {"drainSeconds": 100} for name in ("ui", "server")}
    with pytest.raises(UsageError, match=r"services\.server\.drain.*; services\.ui\.drain"):
        render({"services": wrong})


def test_every_value_has_a_description() -> None:
    """Each value, or its parent map, follows a `# --` line in values.yaml."""
    described = {value.path for value in reference.described_values()}
    leaves = list(_leaves(values.read(project.chart_dir() / "values.yaml")))
    assert len(leaves) > 150
    assert [
        ".".join(leaf)
        for leaf in leaves
        if not any(leaf[:depth] in described for depth in range(1, len(leaf) + 1))
    ] == []


def test_the_readme_lists_every_value() -> None:
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        reference.update()
    difference = reference.difference()
    assert not difference, (
        f"the table of k8s/README.md is out of date; to write it anew, run\n"
        f"  bash k8s/chart/tests/test-golden-files.sh --update\n{difference}"
    )


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path


def test_the_schema_has_the_keys_of_the_values() -> None:
    """The schema's top-level keys are those of the values, and Helm's own."""
    defaults = values.read(project.chart_dir() / "values.yaml")
    schema = values.read(project.chart_dir() / "values.schema.json")
    assert set(schema["properties"]) - {"global"} == set(defaults)
