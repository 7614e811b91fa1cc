"""The rules of Redis, PostgreSQL, Vault and its operator, on what those were seen to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from support.evidence import (
    NOW,
    START,
    diagnosed,
    evidence,
    found,
    happening,
    operators,
    pod,
    pod_of,
    published,
    rendered,
    with_objects,
)
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.evidence import vso
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource, SecretFacts
from vrooli.diagnosis.interface import Symptom
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref, ref_of
from vrooli.redaction import Redactor
from vrooli.release.records.storage import Revision

PGO = "postgres-operator.crunchydata.com"
RF = Ref("RedisFailover", "vrooli-rf", "dev")
PG = Ref("PostgresCluster", "vrooli-pg", "dev")
AUTH = Ref("VaultAuth", "vrooli-dev-vault", "dev")
VAULT = Ref("Service", "vault", "vault")
REDIS, SENTINEL = Ref("Pod", "rfr-vrooli-rf-0", "dev"), Ref("Pod", "rfs-vrooli-rf-0", "dev")
LEADER = Ref("Pod", "vrooli-pg-instance1-0", "dev")
OF_REDIS = Ref("VaultStaticSecret", "vrooli-dev-redis", "dev")
PULL = Ref("VaultStaticSecret", "vrooli-dev-dockerhub-pull-secret", "dev")
RULES = {rule.rule_id: rule for rule in catalog.ALL}
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
def well() -> Evidence:
    """A release whose data stores are well, as one was recorded."""
    seen = rendered()
    owned = [
        _secret(item["spec"]["destination"]["name"], item["metadata"]["name"])
        for item in seen.all("VaultStaticSecret")
        if item["spec"]["destination"]["create"]
    ]
    user = _secret("vrooli-pg-pguser-vrooli")
    user["metadata"]["labels"] = {f"{PGO}/cluster": PG.name, f"{PGO}/pguser": "vrooli"}
    answers = [
        Answer("vault-health", VAULT, json.dumps(HEALTH)),
        Answer("vault-login", AUTH, json.dumps({"status": 200, "errors": []})),
        *(
            Answer(
                "vault-read", Ref("VaultStaticSecret", name, "dev"), _json(status=200, keys=keys)
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
    seen = with_objects(seen, *operators(), *owned, *published(), user, service, *_pods())
    return replace(seen, answers=tuple(answers), secrets=facts)


def _json(**said: Any) -> str:
    return json.dumps(said)


def _secret(name: str, owner: str = "") -> dict[str, Any]:
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
    found = pod(LEADER.name, labels=role, container="database", **settings)
    found["status"]["podIP"] = "10.0.0.9"
    return found


def _pods() -> list[dict[str, Any]]:
    return [redis_pod(), redis_pod(SENTINEL, "sentinel"), database_pod()]


def saying(probe: str, about: Ref, said: str, *, ok: bool = True) -> Evidence:
    """The well release with another answer."""
    others = [a for a in well().answers if (a.probe, a.about) != (probe, about)]
    return replace(well(), answers=(*others, Answer(probe, about, said, ok)))


def changed(kind: str, name: str, edit: Callable[[dict[str, Any]], object]) -> Evidence:
    """The well release with another object."""
    body = json.loads(json.dumps(next(b for b in well().all(kind, "") if _name(b) == name)))
    edit(body)
    return with_objects(well(), body)


def without(kind: str, *names: str) -> Evidence:
    """The well release without objects of a kind; without the kind itself, if none is named."""
    objects = dict(well().objects)
    kept = [body for body in objects.pop(kind) if names and _name(body) not in names]
    return replace(well(), objects={**objects, kind: kept} if names else objects)


def _name(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])


def logged(line: str, pod_name: str = LEADER.name, namespace: str = "dev") -> Evidence:
    """The well release with a line of a moment ago in a log."""
    when = (NOW - timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S.000 UTC")
    return replace(well(), logs={LogSource(namespace, pod_name, "main"): [f"{when} {line}"]})


def with_facts(name: str, facts: SecretFacts) -> Evidence:
    """The well release with another Secret."""
    return replace(well(), secrets={**well().secrets, Ref("Secret", name, "dev"): facts})


def told(*events: Any) -> Evidence:
    """The well release with events."""
    return replace(well(), events=events)


def refused(words: str, status: int = 403, **said: Any) -> Evidence:
    """A login that Vault refuses."""
    return saying("vault-login", AUTH, _json(status=status, errors=[words], **said))


def read(about: Ref, status: int, **said: Any) -> Evidence:
    """A secret that Vault doesn't give."""
    return saying("vault-read", about, _json(status=status, errors=["permission denied"], **said))


def stanza(words: str) -> Evidence:
    """PGO's event of a stanza that it can't make."""
    return told(happening(PG, "UnableToCreateStanzas", words))


def job(name: str, minute: int, **status: Any) -> dict[str, Any]:
    """A backup's Job."""
    labels = {f"{PGO}/cluster": PG.name, f"{PGO}/pgbackrest-backup": "manual"}
    made = f"2026-06-01T11:{minute:02}:00+00:00"
    metadata = {"name": name, "namespace": "dev", "labels": labels, "creationTimestamp": made}
    return {"kind": "Job", "metadata": metadata, "status": status}


SERVER_POD = pod_of("vrooli-dev-server", ready=False)
REFUSED = ["INSERT on vrooli.posts", "SELECT on vrooli.posts"]
UNUSABLE = {
    "status": "down",
    "error": f"user vrooli lacks {', '.join(REFUSED)}",
    "schema": {"user": "vrooli", "owner": "vrooli", "missing": [], "refused": REFUSED},
}
SCHEMA_REFUSED = with_objects(
    saying("health-answer", ref_of(SERVER_POD), f"503 {_json(database=UNUSABLE)}"), SERVER_POD
)
FAILED = {"conditions": [{"type": "Failed", "status": "True", "message": "has reached the limit"}]}
GONE = "This container version is no longer available from the Crunchy Data Developer Program"
PULLING = {"waiting": {"reason": "ImagePullBackOff", "message": GONE}}
NOT_TLS = (
    'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "vrooli", database "vrooli", '
    "no encryption"
)
CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "dev", "labels": {f"{PGO}/cluster": PG.name}},
    "spec": {"storageClassName": "gold"},
    "status": {"phase": "Pending"},
}
TRIES = replace(
    happening(OF_REDIS, "VaultClientError", "Failed to read Vault secret: Code: 403", ago_s=5),
    count=4,
)
RESTARTS = replace(
    happening(OF_REDIS, "RolloutRestartTriggered", "Rollout restart triggered", ago_s=5), count=6
)
SEALED = _json(initialized=True, sealed=True)
CONNECTION = "VaultConnection/vrooli-dev-vault"


def unanswered(
    words: str, about: Ref = OF_REDIS, reason: str = "VaultClientConfigError", ago_s: float = 5
) -> Event:
    """What the operator tells of a try that gave nothing."""
    return happening(about, reason, f"Failed to get Vault auth login: {words}", ago_s=ago_s)


VSO_POD = "vault-secrets-operator-system"
OPERATOR_OFF = {"replicas": 0}


def spec(kind: str, name: str, **fields: Any) -> Evidence:
    """The well release with other fields in an object's spec."""
    return changed(kind, name, lambda body: body["spec"].update(fields))


def destination(of: str, **fields: Any) -> Evidence:
    """The well release with another destination of a secret."""
    return changed("VaultStaticSecret", of, lambda body: body["spec"]["destination"].update(fields))


OTHER = redis_pod(Ref("Pod", "rfr-vrooli-rf-1", "dev"))
TWO_MASTERS = replace(
    with_objects(well(), OTHER),
    answers=(
        *well().answers,
        Answer("redis-info", Ref("Pod", "rfr-vrooli-rf-1", "dev"), "role:master"),
    ),
)


# Each symptom as it was recorded, by the rule that knows it, and the object that it is about.
def redis_volume(size: str) -> dict[str, Any]:
    """The volume of a Redis."""
    labels = {"component": "redis", "name": "vrooli-rf", "part-of": "redis-failover"}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "vrooli-rf-data-rfr-vrooli-rf-0",
            "namespace": "dev",
            "labels": {f"app.kubernetes.io/{key}": value for key, value in labels.items()},
        },
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": "Bound"},
    }


ROTATOR = Ref("Deployment", "vrooli-dev-rotator", "dev")
SERVER = "vrooli-dev-server"
NO_SECRET = 'secret "vrooli-redis-creds" not found'
# A password that the rotator hasn't published, and which has no pod.
NEWER = with_facts(
    "vrooli-redis-creds-vault", SecretFacts("Opaque", {"password": 9}, marks={"password": "new"})
)
RUNNING = changed(
    "Deployment", ROTATOR.name, lambda body: body.update(status={"availableReplicas": 1})
)
WAITING = replace(
    RUNNING,
    secrets={
        **well().secrets,
        Ref("Secret", "vrooli-pg-pguser-vrooli-alternate", "dev"): SecretFacts(
            "Opaque", {"password": 9}, marks={"password": "previous"}
        ),
    },
    events=(happening(ROTATOR, "RotationWaiting", "PostgreSQL: waiting for 61 s: a pod runs"),),
)

SYMPTOMS: dict[str, tuple[str, str, Evidence]] = {
    "Vault has no pod": (
        "vault-unreachable",
        "Service/vault",
        saying("vault-health", VAULT, "no pod runs behind it", ok=False),
    ),
    "Vault's address names no Service": (
        "vault-unreachable",
        "VaultConnection/vrooli-dev-vault",
        with_objects(
            spec("VaultConnection", AUTH.name, address="http://vualt.vault.svc:8200"),
            {"kind": "Service", "metadata": {"name": "other", "namespace": "vault"}, "spec": {}},
        ),
    ),
    "Vault is sealed": ("vault-sealed", "Service/vault", saying("vault-health", VAULT, SEALED)),
    "Vault holds nothing": (
        "vault-uninitialised",
        "Service/vault",
        saying("vault-health", VAULT, _json(initialized=False, sealed=True)),
    ),
    "the Redis operator is scaled to 0": (
        "redis-operator-down",
        "Deployment/spotahome-redis-operator",
        spec("Deployment", "spotahome-redis-operator", **OPERATOR_OFF),
    ),
    "the Redis operator isn't installed": (
        "redis-operator-down",
        "Namespace/redis-operator",
        without("Deployment", "spotahome-redis-operator"),
    ),
    "PGO is scaled to 0": ("pgo-down", "Deployment/pgo", spec("Deployment", "pgo", **OPERATOR_OFF)),
    "the Vault Secrets Operator is scaled to 0": (
        "vso-down",
        "Deployment/vault-secrets-operator-controller-manager",
        spec("Deployment", "vault-secrets-operator-controller-manager", **OPERATOR_OFF),
    ),
    "a definition is too long": (
        "crd-too-long",
        "CustomResourceDefinition/redisfailovers.databases.spotahome.com",
        replace(
            well(),
            helm=Revision(
                1,
                "failed",
                description="metadata.annotations: Too long: must have at most 262144 bytes",
            ),
        ),
    ),
    "no RedisFailover": (
        "redis-crd-missing",
        "CustomResourceDefinition/redisfailovers.databases.spotahome.com",
        without("RedisFailover"),
    ),
    "no PostgresCluster": (
        "postgres-crd-missing",
        f"CustomResourceDefinition/postgresclusters.{PGO}",
        without("PostgresCluster"),
    ),
    "no VaultStaticSecret": (
        "vso-crd-missing",
        "CustomResourceDefinition/vaultstaticsecrets.secrets.hashicorp.com",
        without("VaultStaticSecret"),
    ),
    "an unknown role": (
        "vso-role-missing",
        str(AUTH),
        refused('invalid role name "vrooli-vso-sync-role"', 400),
    ),
    "a foreign namespace": (
        "vso-namespace-refused",
        str(AUTH),
        refused("namespace not authorized"),
    ),
    "a foreign account": (
        "vso-account-refused",
        str(AUTH),
        refused("service account name not authorized"),
    ),
    "no auth mount": (
        "vso-auth-mount-missing",
        str(AUTH),
        refused("permission denied", mounted=False),
    ),
    "another refusal": ("vso-login-refused", str(AUTH), refused("permission denied", mounted=True)),
    "a refusal that only the operator tells of": (
        "vso-namespace-refused",
        str(AUTH),
        replace(
            well(),
            answers=(),
            events=(
                happening(
                    OF_REDIS,
                    "VaultClientConfigError",
                    "Failed to get Vault auth login: Error making API request. Code: 403. Errors: "
                    "* namespace not authorized",
                    ago_s=5,
                ),
            ),
        ),
    ),
    "a Vault that only the operator finds sealed": (
        "vso-no-answer",
        CONNECTION,
        told(unanswered("Error making API request.\n\nCode: 503. Errors:\n\n* Vault is sealed")),
    ),
    "a Vault that only the operator doesn't reach": (
        "vso-no-answer",
        CONNECTION,
        told(
            unanswered("Put: dial tcp 10.0.0.9:8200: i/o timeout"),
            unanswered("Get: dial tcp 10.0.0.9:8200: i/o timeout", PULL, "VaultClientError"),
        ),
    ),
    "a certificate of Vault that the operator doesn't trust": (
        "vso-no-answer",
        CONNECTION,
        told(unanswered("Put: tls: failed to verify certificate: x509: certificate has expired")),
    ),
    "a name of Vault that only the operator can't resolve": (
        "vso-no-answer",
        CONNECTION,
        told(unanswered("Put: dial tcp: lookup vault.example.com: no such host")),
    ),
    "an address of Vault with the wrong scheme": (
        "vso-no-answer",
        CONNECTION,
        told(unanswered("Code: 400. Raw Message: Client sent an HTTP request to an HTTPS server.")),
    ),
    "a login that fails before it reaches Vault": (
        "vso-no-answer",
        str(AUTH),
        told(unanswered('serviceaccounts "nobody" not found')),
    ),
    "a deleted secret": (
        "vso-secret-missing-in-vault",
        str(OF_REDIS),
        read(OF_REDIS, 404, version=2),
    ),
    "a policy without the path": ("vso-policy-denied", str(OF_REDIS), read(OF_REDIS, 403)),
    "a policy without data": (
        "vso-policy-path-without-data",
        str(OF_REDIS),
        read(OF_REDIS, 403, bare=True),
    ),
    "a token from before": ("vso-cached-token", str(OF_REDIS), told(TRIES)),
    "a destination that isn't there": (
        "vso-destination-missing",
        str(PULL),
        destination(PULL.name, create=False, name="nowhere"),
    ),
    "a destination of somebody else": (
        "vso-not-owner",
        str(PULL),
        with_objects(well(), _secret("vrooli-dockerhub-pull-secret")),
    ),
    "a template of an unknown key": (
        "vso-template-key-missing",
        str(OF_REDIS),
        saying("vault-read", OF_REDIS, _json(status=200, keys=["OTHER"])),
    ),
    "a restart at every refresh": ("vso-restart-loop", str(OF_REDIS), told(RESTARTS)),
    "a rotator without a pod": ("rotator-down", str(ROTATOR), NEWER),
    "a rotation that waits": ("rotation-waiting", str(ROTATOR), WAITING),
    "a name of no Secret": (
        "redis-auth-secret-missing",
        str(RF),
        spec("RedisFailover", RF.name, auth={"secretPath": "redis"}),
    ),
    "no key password": (
        "redis-auth-key-missing",
        "Secret/vrooli-redis-creds",
        with_facts("vrooli-redis-creds", SecretFacts("Opaque", {"REDIS_PASSWORD": 9})),
    ),
    "a new line after the password": (
        "redis-auth-newline",
        "Secret/vrooli-redis-creds",
        with_facts(
            "vrooli-redis-creds",
            SecretFacts(
                "Opaque", {"REDIS_PASSWORD": 9, "password": 9}, trimmed=frozenset({"password"})
            ),
        ),
    ),
    "a Secret without a key of the server's": (
        "secret-key-missing",
        "Secret/vrooli-secrets-shared-server-jobs",
        with_facts(
            "vrooli-secrets-shared-server-jobs", SecretFacts("Opaque", {"OPENAI_API_KEY": 1})
        ),
    ),
    "more Redis than Sentinels": (
        "redis-more-replicas-than-sentinels",
        str(RF),
        changed("RedisFailover", RF.name, lambda body: body["spec"]["redis"].update(replicas=2)),
    ),
    "an evicted pod": (
        "redis-dead-pod-blocks-healing",
        "Pod/rfr-vrooli-rf-1",
        with_objects(
            well(), redis_pod(Ref("Pod", "rfr-vrooli-rf-1", "dev"), phase="Failed", ready=False)
        ),
    ),
    "a refused password": (
        "redis-wrong-password",
        str(RF),
        saying(
            "redis-info",
            REDIS,
            "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\nNOAUTH",
        ),
    ),
    "two masters": ("redis-split-brain", str(RF), TWO_MASTERS),
    "a Sentinel too many": (
        "redis-sentinels-joined",
        str(RF),
        saying("redis-info", SENTINEL, "master0:name=mymaster,address=10.0.0.2:6379,sentinels=4"),
    ),
    "a Sentinel that watches itself": (
        "redis-sentinel-lost-master",
        str(RF),
        saying("redis-info", SENTINEL, "master0:name=mymaster,address=127.0.0.1:6379,sentinels=1"),
    ),
    "no Redis leads": (
        "redis-sentinel-lost-master",
        str(RF),
        saying("redis-info", REDIS, "role:slave\r\nmaster_host:127.0.0.1"),
    ),
    "a Redis that can't save": (
        "redis-misconf",
        str(RF),
        saying("redis-info", REDIS, "role:master\r\nrdb_last_bgsave_status:err\r\n"),
    ),
    "a Redis that hangs": ("redis-unreachable", str(RF), saying("redis-info", REDIS, "ended: 124")),
    "a withdrawn image": (
        "postgres-image-gone",
        str(PG),
        with_objects(well(), database_pod(state=PULLING, ready=False)),
    ),
    "an unknown storage class": (
        "postgres-storage-class",
        "PersistentVolumeClaim/data",
        with_objects(well(), CLAIM),
    ),
    "two passwords": (
        "postgres-password-differs",
        "Secret/vrooli-pg-pguser-vrooli",
        with_facts(
            "vrooli-pg-pguser-vrooli",
            SecretFacts("Opaque", {"password": 9}, marks={"password": "other"}),
        ),
    ),
    "no address of the repository": (
        "postgres-stanza-failed",
        str(PG),
        stanza("ERROR: [049]: unable to get address for 'vrooli-pg-repo-host-0.vrooli-pg-pods'"),
    ),
    "archiving fails": (
        "postgres-archive-failing",
        str(PG),
        saying(
            "postgres-state",
            PG,
            json.dumps({**STATE, "archiver": {"failed": 3, "last_failed": "01", "failing": True}}),
        ),
    ),
    "archiving fails, and the server can't be asked": (
        "postgres-archive-failing",
        str(PG),
        replace(logged("LOG:  archive command failed with exit code 82"), answers=()),
    ),
    "a full volume": (
        "postgres-disk-full",
        str(PG),
        saying("postgres-disk", LEADER, DF.format(1000, 10, 99)),
    ),
    "a full volume in the log": (
        "postgres-disk-full",
        str(PG),
        logged("PANIC:  could not write to file: No space left on device"),
    ),
    "no schema to write in": (
        "postgres-schema-permission",
        str(PG),
        saying("postgres-rights", Ref("vrooli@", "vrooli", "dev"), '{"may": false}'),
    ),
    "a table of somebody else": ("postgres-schema-missing", str(PG), SCHEMA_REFUSED),
    "a client without TLS": ("postgres-ssl-off", f"Pod/{LEADER.name}", logged(NOT_TLS)),
    "no connection left": (
        "postgres-too-many-connections",
        str(PG),
        saying("postgres-state", PG, json.dumps({**STATE, "connections": 97})),
    ),
    "no connection left for a database": (
        "postgres-too-many-connections",
        str(PG),
        saying(
            "postgres-state",
            PG,
            json.dumps({**STATE, "databases": [{"name": "vrooli", "most": 4, "used": 4}]}),
        ),
    ),
    "a failed backup": (
        "postgres-backup-failed",
        "Job/new",
        with_objects(well(), job("old", 1, succeeded=1), job("new", 2, **FAILED)),
    ),
    "a size that Redis' volume can't have": (
        "operator-refuses",
        str(RF),
        with_objects(well(), redis_volume("4Ti")),
    ),
    "no leader": ("postgres-no-leader", str(PG), with_objects(well(), database_pod(ready=False))),
}
DATA = {rule.rule_id for rule in (*catalog.BELOW, *catalog.DATA)}


@pytest.mark.parametrize("later", ["CredentialsPublished", "RotationCompleted"])
def test_a_rotation_that_went_on_waits_no_more(later: str) -> None:
    waits = WAITING.events[0]
    done = Event(ROTATOR, "Normal", later, "PostgreSQL: done", last=NOW)
    assert found(RULES["rotation-waiting"], replace(WAITING, events=(waits, done))) == []
    other = replace(done, message="Redis: done")
    assert found(RULES["rotation-waiting"], replace(WAITING, events=(waits, other)))


def test_a_wait_that_has_passed_is_known_by_the_secrets() -> None:
    assert found(RULES["rotation-waiting"], replace(WAITING, secrets=well().secrets)) == []
    empty = {Ref("Secret", "vrooli-postgres-creds-vault", "dev"): SecretFacts("Opaque", {})}
    seen = replace(WAITING, secrets={**well().secrets, **empty})
    assert found(RULES["rotation-waiting"], seen) == [str(ROTATOR)]


def test_an_old_warning_of_the_rotator_is_of_the_past() -> None:
    old = replace(WAITING.events[0], last=NOW - timedelta(minutes=20))
    assert found(RULES["rotation-waiting"], replace(WAITING, events=(old,))) == []


def test_a_rotator_that_runs_is_not_down_while_a_password_is_on_its_way() -> None:
    seen = replace(RUNNING, secrets=NEWER.secrets)
    assert found(RULES["rotator-down"], NEWER) == ["Deployment/vrooli-dev-rotator"]
    assert found(RULES["rotator-down"], seen) == []


def test_a_secret_that_the_rotator_has_not_made_is_why_pods_wait() -> None:
    waits = {"waiting": {"reason": "CreateContainerConfigError", "message": NO_SECRET}}
    seen = with_objects(without("Secret", "vrooli-redis-creds"), pod_of(SERVER, state=waits))
    (symptom,) = RULES["config-missing"].find(seen)
    assert symptom.resource == Ref("Secret", "vrooli-redis-creds", "dev")
    assert symptom.command == f"kubectl describe deployment/{ROTATOR.name} -n dev"
    rules = [RULES["rotator-down"], RULES["config-missing"]]
    (cause,) = root_cause.diagnose(seen, rules, Redactor()).causes
    assert cause.finding.rule_id == "rotator-down"
    assert [item.rule_id for item in cause.consequences] == ["config-missing"]


def test_the_user_that_the_clients_do_not_log_in_as_may_have_another_password() -> None:
    """Two take turns: the one that is not in use has the previous password for a while."""
    clients = SecretFacts(
        "Opaque",
        {"DB_USER": 6, "DB_PASSWORD": 9},
        marks={"DB_USER": "alternate", "DB_PASSWORD": "new"},
    )
    unused = SecretFacts(
        "Opaque", {"user": 6, "password": 9}, marks={"user": "first", "password": "old"}
    )
    facts = {
        Ref("Secret", "vrooli-postgres-creds", "dev"): clients,
        Ref("Secret", "vrooli-pg-pguser-vrooli", "dev"): unused,
    }
    seen = replace(well(), secrets={**well().secrets, **facts})
    assert found(RULES["postgres-password-differs"], seen) == []
    used = replace(unused, marks={"user": "alternate", "password": "old"})
    facts[Ref("Secret", "vrooli-pg-pguser-vrooli", "dev")] = used
    seen = replace(seen, secrets={**well().secrets, **facts})
    (symptom,) = RULES["postgres-password-differs"].find(seen)
    assert symptom.command == f"kubectl describe deployment/{ROTATOR.name} -n dev"


@pytest.mark.parametrize("what", SYMPTOMS)
def test_a_symptom_is_named_at_its_object(what: str) -> None:
    rule, about, seen = SYMPTOMS[what]
    assert found(RULES[rule], seen) == [about]


@pytest.mark.parametrize("what", SYMPTOMS)
def test_a_finding_says_what_to_do_and_what_shows_it(what: str) -> None:
    rule, _, seen = SYMPTOMS[what]
    (symptom,) = RULES[rule].find(seen)
    assert isinstance(symptom, Symptom)
    assert symptom.message and symptom.remediation and symptom.command
    assert "None" not in f"{symptom.message} {symptom.command}"
    # With a mask in it, it would be printed nowhere.
    assert Redactor().text(symptom.command) == symptom.command


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_rule_is_silent_where_the_data_are_well(name: str) -> None:
    assert found(RULES[name], well()) == []


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_rule_is_silent_where_there_is_nothing(name: str) -> None:
    assert found(RULES[name], evidence()) == []


def test_every_rule_of_the_data_has_a_symptom() -> None:
    assert {rule for rule, _, _ in SYMPTOMS.values()} == DATA


def test_what_could_not_be_looked_at_is_not_taken_for_missing() -> None:
    seen = replace(without("RedisFailover"), hidden={("RedisFailover", "")})
    assert found(RULES["redis-crd-missing"], seen) == []


def test_an_older_line_of_a_log_is_of_the_past() -> None:
    old = {LogSource("dev", LEADER.name, "database"): [f"2026-06-01 11:00:00 UTC {NOT_TLS}"]}
    assert found(RULES["postgres-ssl-off"], replace(well(), logs=old)) == []


def test_a_backup_that_ended_well_ends_the_failed_ones_finding() -> None:
    seen = with_objects(well(), job("old", 1, **FAILED), job("new", 2, succeeded=1))
    assert found(RULES["postgres-backup-failed"], seen) == []


def test_young_sentinels_are_given_time_to_learn_their_master() -> None:
    lost = SYMPTOMS["a Sentinel that watches itself"][2]
    young = redis_pod(SENTINEL, "sentinel")
    young["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=30)).isoformat()
    assert found(RULES["redis-sentinel-lost-master"], with_objects(lost, young)) == []


def test_an_operator_that_was_started_since_has_another_token() -> None:
    since = pod("vso", namespace=VSO_POD)
    since["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=2)).isoformat()
    assert found(RULES["vso-cached-token"], with_objects(told(TRIES), since)) == []
    since["metadata"]["creationTimestamp"] = START
    assert found(RULES["vso-cached-token"], with_objects(told(TRIES), since)) == [str(OF_REDIS)]


@pytest.mark.parametrize(("tries", "ago_s", "still"), [(1, 8, True), (1, 60, False), (9, 60, True)])
def test_the_operator_tries_ever_less_often(tries: int, ago_s: float, still: bool) -> None:
    event = happening(OF_REDIS, "VaultClientError", "Code: 403", ago_s=ago_s)
    seen = told(replace(event, count=tries))
    assert (vso.trying(seen, OF_REDIS, "VaultClientError") is not None) is still


@pytest.mark.parametrize(
    "words",
    [
        "Code: 403. Errors: * lookup failed: service account unauthorized",
        "Code: 500. Errors: * Post: dial tcp 10.96.0.1:443: i/o timeout",
    ],
)
def test_a_vault_that_answers_the_operator_is_not_called_silent(words: str) -> None:
    assert found(RULES["vso-no-answer"], told(unanswered(words))) == []


def test_an_empty_path_is_not_taken_for_a_silent_vault() -> None:
    words = 'empty response from Vault, path="secret/data/x"'
    assert found(RULES["vso-no-answer"], told(unanswered(words, reason="VaultClientError"))) == []


def test_what_the_operator_met_with_before_it_got_on_is_of_the_past() -> None:
    silent = unanswered("dial tcp 10.0.0.9:8200: i/o timeout")
    synced = Event(OF_REDIS, "Normal", "SecretSynced", "Secret synced", last=NOW)
    assert found(RULES["vso-no-answer"], told(silent, synced)) == []
    healthy = {"conditions": [{"type": "Healthy", "status": "True"}]}
    body = {**(well().get(OF_REDIS) or {}), "status": healthy}
    assert found(RULES["vso-no-answer"], with_objects(told(silent), body)) == []


def test_an_old_word_of_the_operator_counts_where_no_probe_got_through_or_its_log_goes_on() -> None:
    words = "dial tcp 10.0.0.9:8200: i/o timeout"
    old = told(replace(unanswered(words, ago_s=200), count=30))
    assert found(RULES["vso-no-answer"], old) == []
    assert found(RULES["vso-no-answer"], replace(old, answers=())) == [CONNECTION]
    line = f'{{"ts":"{NOW.isoformat()}","msg":"Failed to get NewClientWithLogin"}}'
    logged = {LogSource(VSO_POD, "vso", "manager"): [line]}
    assert found(RULES["vso-no-answer"], replace(old, logs=logged)) == [CONNECTION]


@pytest.mark.parametrize(
    "what", ["Vault has no pod", "Vault is sealed", "Vault's address names no Service"]
)
def test_what_a_probe_knows_of_vault_comes_before_the_operator_s_words(what: str) -> None:
    rule, about, seen = SYMPTOMS[what]
    said = diagnosed(replace(seen, events=(unanswered("Code: 503. Errors: * Vault is sealed"),)))
    (cause,) = [item for item in said.causes if item.finding.rule_id.startswith("v")]
    assert (cause.finding.rule_id, cause.finding.resource) == (rule, about)
    assert [item.rule_id for item in cause.consequences if item.rule_id.startswith("vso")] == [
        "vso-no-answer"
    ]


def test_a_name_that_the_operator_can_not_resolve_follows_from_the_cluster_s_dns() -> None:
    dns = {
        "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {"replicas": 0},
    }
    words = "dial tcp: lookup vault.vault.svc: i/o timeout"
    said = diagnosed(with_objects(told(unanswered(words)), dns))
    (cause,) = [item for item in said.causes if item.finding.rule_id == "dns-failing"]
    assert "vso-no-answer" in {item.rule_id for item in cause.consequences}


def test_several_secrets_without_a_policy_are_one_finding() -> None:
    seen = read(OF_REDIS, 403)
    other = Answer("vault-read", PULL, _json(status=403, errors=["permission denied"]))
    answers = [item for item in seen.answers if item.about != PULL]
    (symptom,) = RULES["vso-policy-denied"].find(replace(seen, answers=(*answers, other)))
    assert set(symptom.affects) | {symptom.resource} == {OF_REDIS, PULL}


def test_a_class_that_no_volume_of_postgres_can_have_is_told_once() -> None:
    _, _, seen = SYMPTOMS["an unknown storage class"]
    assert not list(RULES["volume-pending"].find(seen))


def test_many_rotations_are_no_loop_of_restarts() -> None:
    over_an_hour = replace(RESTARTS, first=NOW - timedelta(hours=1))
    assert not list(RULES["vso-restart-loop"].find(told(over_an_hour)))
    over_a_minute = replace(RESTARTS, first=NOW - timedelta(minutes=1))
    assert list(RULES["vso-restart-loop"].find(told(over_a_minute)))


def test_a_template_that_somebody_changed_comes_back_with_the_release() -> None:
    """A patch of it would hold parts of what it makes, which are masked."""
    seen = destination(PULL.name, name="no-such-secret", create=False, transformation={})
    (symptom,) = RULES["vso-destination-missing"].find(seen)
    assert symptom.command == "vrooli rollback 1 --environment dev"


def test_a_changed_field_is_put_back_to_what_the_release_noted() -> None:
    seen = spec("VaultAuth", AUTH.name, mount="elsewhere")
    said = _json(status=403, errors=["permission denied"], mounted=False)
    others = [item for item in seen.answers if item.probe != "vault-login"]
    seen = replace(seen, answers=(*others, Answer("vault-login", AUTH, said)))
    (symptom,) = RULES["vso-auth-mount-missing"].find(seen)
    assert '{"spec": {"mount": "kubernetes"}}' in symptom.command
