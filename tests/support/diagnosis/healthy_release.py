"""A release whose data stores are healthy, and variations of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from support.diagnosis.evidence import (
    NOW,
    operators,
    pod,
    published,
    rendered,
    with_objects,
)
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource, SecretFacts
from vrooli.kube.objects import Ref

PGO = "postgres-operator.crunchydata.com"
RF = Ref("RedisFailover", "vrooli-rf", "dev")
PG = Ref("PostgresCluster", "vrooli-pg", "dev")
AUTH = Ref("VaultAuth", "vrooli-dev-vault", "dev")
VAULT = Ref("Service", "vault", "vault")


REDIS, SENTINEL = Ref("Pod", "rfr-vrooli-rf-0", "dev"), Ref("Pod", "rfs-vrooli-rf-0", "dev")


LEADER = Ref("Pod", "vrooli-pg-instance1-0", "dev")
OF_REDIS = Ref("VaultStaticSecret", "vrooli-dev-redis", "dev")
PULL = Ref("VaultStaticSecret", "vrooli-dev-dockerhub-pull-secret", "dev")
HEALTH = {"initialized": True, "sealed": False}
KEYS = {
    "vrooli-dev-dockerhub-pull-secret": ["password", "username"],
    "vrooli-dev-postgres": ["DB_NAME", "DB_PASSWORD", "DB_USER"],
    "vrooli-dev-redis": ["REDIS_PASSWORD"],
    "vrooli-dev-shared-config-all": ["VITE_GOOGLE_TRACKING_ID"],
    "vrooli-dev-shared-secrets-server-jobs": ["JWT_SECRET"],
}


SECRETS = {
    "vrooli-redis-creds": ("REDIS_PASSWORD", "password"),
    "vrooli-postgres-creds": ("DB_NAME", "DB_USER", "DB_PASSWORD"),
    "vrooli-secrets-shared-server-jobs": ("JWT_SECRET",),
    "vrooli-pg-pguser-vrooli": ("password",),
}


STATE = {
    "archiver": {"archived": 3, "failed": 0, "last_failed": None, "failing": False},
    "archive_command": {"set": "pgbackrest --stanza=db archive-push", "by": "postgresql.conf"},
    "connections": 6,
    "most": 97,
    "databases": [{"name": "vrooli", "most": -1, "used": 4}],
}


DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda {} 1 {} {}% /pgdata"


@cache
def healthy() -> Evidence:
    """A release with healthy data stores, as recorded from a real one."""
    observed = rendered()
    owned = [
        secret_object(item["spec"]["destination"]["name"], item["metadata"]["name"])
        for item in observed.all("VaultStaticSecret")
        if item["spec"]["destination"]["create"]
    ]
    user = secret_object("vrooli-pg-pguser-vrooli")
    user["metadata"]["labels"] = {f"{PGO}/cluster": PG.name, f"{PGO}/pguser": "vrooli"}
    answers = [
        Answer("vault-health", VAULT, json.dumps(HEALTH)),
        Answer("vault-login", AUTH, json.dumps({"status": 200, "errors": []})),
        *(
            Answer(
                "vault-read", Ref("VaultStaticSecret", name, "dev"), as_json(status=200, keys=keys)
            )
            for name, keys in KEYS.items()
        ),
        Answer("redis-info", REDIS, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"),
        Answer("redis-info", SENTINEL, "master0:name=mymaster,address=10.0.0.2:6379,sentinels=1"),
        Answer("postgres-state", PG, json.dumps(STATE)),
        Answer("postgres-rights", Ref("vrooli@", "vrooli", "dev"), '{"may": true}'),
        Answer("postgres-disk", LEADER, DF.format(9, 8000000, 10)),
    ]
    facts = {
        Ref("Secret", name, "dev"): SecretFacts(
            "Opaque", dict.fromkeys(keys, 9), marks=dict.fromkeys(keys, "same")
        )
        for name, keys in SECRETS.items()
    }
    service = {"kind": "Service", "metadata": {"name": "vault", "namespace": "vault"}, "spec": {}}
    observed = with_objects(
        observed, *operators(), *owned, *published(), user, service, *data_pods()
    )
    return replace(observed, answers=tuple(answers), secrets=facts)


def as_json(**content: Any) -> str:
    return json.dumps(content)


def secret_object(name: str, owner: str = "") -> dict[str, Any]:
    owners = [{"kind": "VaultStaticSecret", "name": owner}] if owner else []
    metadata = {"name": name, "namespace": "dev", "ownerReferences": owners, "labels": {}}
    return {"kind": "Secret", "metadata": metadata}


def redis_pod(ref: Ref = REDIS, part: str = "redis", **settings: Any) -> dict[str, Any]:
    """A pod of the failover."""
    labels = {
        "app.kubernetes.io/component": part,
        "redisfailovers.databases.spotahome.com/name": "vrooli-rf",
    }
    return pod(ref.name, labels=labels, container=part, **settings)


def database_pod(**settings: Any) -> dict[str, Any]:
    """The leader."""
    role = {f"{PGO}/cluster": PG.name, f"{PGO}/data": "postgres", f"{PGO}/role": "master"}
    result = pod(LEADER.name, labels=role, container="database", **settings)
    result["status"]["podIP"] = "10.0.0.9"
    return result


def data_pods() -> list[dict[str, Any]]:
    return [redis_pod(), redis_pod(SENTINEL, "sentinel"), database_pod()]


def with_answer(probe: str, about: Ref, content: str, *, ok: bool = True) -> Evidence:
    """The healthy release with another answer."""
    others = [a for a in healthy().answers if (a.probe, a.about) != (probe, about)]
    return replace(healthy(), answers=(*others, Answer(probe, about, content, ok)))


def with_changed(kind: str, name: str, edit: Callable[[dict[str, Any]], object]) -> Evidence:
    """The healthy release with another object."""
    body = json.loads(json.dumps(next(b for b in healthy().all(kind, "") if name_of(b) == name)))
    edit(body)
    return with_objects(healthy(), body)


def without(kind: str, *names: str) -> Evidence:
    """The healthy release without objects of a kind; without the kind if no names are given."""
    objects = dict(healthy().objects)
    retained = [body for body in objects.pop(kind) if names and name_of(body) not in names]
    return replace(healthy(), objects={**objects, kind: retained} if names else objects)


def name_of(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])


def with_log_line(line: str, pod_name: str = LEADER.name, namespace: str = "dev") -> Evidence:
    """The healthy release with a recent line in a log."""
    when = (NOW - timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S.000 UTC")
    return replace(healthy(), logs={LogSource(namespace, pod_name, "main"): [f"{when} {line}"]})


def with_facts(name: str, facts: SecretFacts) -> Evidence:
    """The healthy release with another Secret."""
    return replace(healthy(), secrets={**healthy().secrets, Ref("Secret", name, "dev"): facts})


def with_events(*events: Any) -> Evidence:
    """The healthy release with events."""
    return replace(healthy(), events=events)


def refused_login(words: str, status: int = 403, **content: Any) -> Evidence:
    """A login that Vault refuses."""
    return with_answer("vault-login", AUTH, as_json(status=status, errors=[words], **content))


def denied_secret(about: Ref, status: int, **content: Any) -> Evidence:
    """A secret that Vault doesn't give."""
    return with_answer(
        "vault-read", about, as_json(status=status, errors=["permission denied"], **content)
    )


VSO_POD = "vault-secrets-operator-system"
OPERATOR_OFF = {"replicas": 0}


def spec(kind: str, name: str, **fields: Any) -> Evidence:
    """The healthy release with other fields in an object's spec."""
    return with_changed(kind, name, lambda body: body["spec"].update(fields))


ROTATOR = Ref("Deployment", "vrooli-dev-rotator", "dev")
RUNNING = with_changed(
    "Deployment", ROTATOR.name, lambda body: body.update(status={"availableReplicas": 1})
)
