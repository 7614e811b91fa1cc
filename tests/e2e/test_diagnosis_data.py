"""Faults of Redis, PostgreSQL, Vault and its operator, made in the live release.

Each is named first and alone, and mended by the command as it is printed; where that needs a login
of the reader's own to Vault, or is no more than a look, by what the remedy says.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import vault_admin
from support.cluster.live import Live
from support.docs import rule_proofs
from support.failures import live_faults
from vrooli.diagnosis.evidence.components import redis as evidence_redis
from vrooli.kube import Kube

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.root,
    # What a look cuts off at its limit leaves sockets to the collector, on a busy machine only.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
long = pytest.mark.long

HOME = "dev"
REDIS = ("databases.spotahome.com/v1", "RedisFailover", "vrooli-rf", HOME)
POSTGRES = ("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "vrooli-pg", HOME)
VSO = "secrets.hashicorp.com/v1beta1"
AUTH = (VSO, "VaultAuth", "vrooli-dev-vault", HOME)
CONNECTION = (VSO, "VaultConnection", "vrooli-dev-vault", HOME)
PULL = (VSO, "VaultStaticSecret", "vrooli-dev-dockerhub-pull-secret", HOME)
REDIS_SECRET = (VSO, "VaultStaticSecret", "vrooli-dev-redis", HOME)
ROTATOR = ("apps/v1", "Deployment", "vrooli-dev-rotator", HOME)
PUBLISHED = ("v1", "Secret", "vrooli-postgres-creds", HOME)
POLICY = "vrooli-secrets-redis-read-policy"
PATH = "vrooli/secrets/redis"
TO_TEMPLATES = ("spec", "destination", "transformation", "templates")
RUN_ID = "0123456789abcdef0123456789abcdef01234567"
REDIS_LABELS = {
    "app.kubernetes.io/name": "vrooli-rf",
    "app.kubernetes.io/component": "redis",
    "app.kubernetes.io/part-of": "redis-failover",
    "redisfailovers.databases.spotahome.com/name": "vrooli-rf",
}
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Ward:
    """The release's data stores, as tests reach them."""

    kube: Kube
    live: Live

    async def pod(self, labels: str) -> str:
        """The one running pod with these labels."""
        pods = await self.kube.list("v1", "Pod", HOME, labels)
        running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
        return str(running[0]["metadata"]["name"])

    async def pods_gone(self, labels: str) -> None:
        """Wait until there is no pod with these labels."""
        for _ in range(180):
            if not await self.kube.list("v1", "Pod", HOME, labels):
                return
            await asyncio.sleep(1)
        pytest.fail(f"pods with {labels} did not end")

    async def redis(self, command: str) -> str:
        """What redis-cli gives in the Redis pod."""
        argv = ["sh", "-c", f'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli {command}']
        return await self.kube.exec(HOME, "rfr-vrooli-rf-0", argv, "redis")

    async def sentinel(self, *commands: str) -> None:
        """Have the Sentinel do that."""
        pod = await self.pod("app.kubernetes.io/component=sentinel")
        for command in commands:
            argv = ["redis-cli", "-p", "26379", *command.split()]
            await self.kube.exec(HOME, pod, argv, "sentinel")

    async def database(self, *argv: str) -> str:
        """Run a program in the database's leader."""
        pod = await self.pod("postgres-operator.crunchydata.com/role=master")
        return await self.kube.exec(HOME, pod, list(argv), "database")

    async def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run SQL as its administrator."""
        words = [word for statement in statements for word in ("-c", statement)]
        return await self.database("psql", "-AtXq", "-d", database, *words)

    async def set(self, ref: tuple[str, str, str, str], value: Any, *path: str) -> None:
        """Merge one field into an object."""
        for key in reversed(path):
            value = {key: value}
        await self.kube.patch(*ref, value)

    async def field(self, ref: tuple[str, str, str, str], *path: str) -> Any:
        """What an object has there."""
        found: Any = await self.kube.get(*ref)
        for key in path:
            found = found[key]
        return found


Act = Callable[[Ward], Awaitable[object]]


async def nothing(ward: Ward) -> None:
    """What needs no undoing: the remedy leaves nothing."""


@dataclass(frozen=True)
class Fault:
    """A fault, and how it goes.

    Attributes:
        rule: How it is named.
        about: At which object.
        injure: Makes it.
        undo: Takes it back, whatever came of it.
        mend: Does what the remedy says; None where the printed command does.
    """

    rule: str
    about: str
    injure: Act
    undo: Act = nothing
    mend: Act | None = None


def scaled(namespace: str, kind: str, name: str, rule: str, about: str = "") -> Fault:
    """Something that somebody scaled to no pod."""
    ref = ("apps/v1", kind, name, namespace)
    return Fault(
        rule,
        about or f"{kind}/{name}",
        lambda ward: ward.set(ref, 0, "spec", "replicas"),
        lambda ward: ward.set(ref, 1, "spec", "replicas"),
    )


def changed(
    rule: str, about: str, ref: tuple[str, str, str, str], wrong: Any, right: Any, *path: str
) -> Fault:
    """A field that somebody changed."""
    return Fault(
        rule,
        about,
        lambda ward: ward.set(ref, wrong, *path),
        lambda ward: ward.set(ref, right, *path),
    )


def pod(name: str, labels: dict[str, str], container: dict[str, Any]) -> dict[str, Any]:
    """A pod beside the operator's own."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": HOME, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "redis",
                    "image": "localhost/vrooli/redis:7",
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": SAFE,
                    "resources": {"limits": {"memory": "64Mi", "cpu": "200m"}},
                    **container,
                }
            ],
        },
    }


DEAD = pod("rfr-vrooli-rf-dead", REDIS_LABELS, {"command": ["false"]})
SECOND = pod(
    "rfr-vrooli-rf-second",
    REDIS_LABELS,
    {
        "command": ["sh", "-c"],
        "args": [
            'cd /tmp && exec redis-server --save "" --requirepass "$REDIS_PASSWORD" '
            '--masterauth "$REDIS_PASSWORD"'
        ],
        "env": [
            {
                "name": "REDIS_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": "vrooli-redis-creds", "key": "password"}},
            }
        ],
    },
)
BACKUP = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "vrooli-pg-backup-test",
        "namespace": HOME,
        "labels": {
            "postgres-operator.crunchydata.com/cluster": "vrooli-pg",
            "postgres-operator.crunchydata.com/pgbackrest-backup": "manual",
        },
    },
    "spec": {
        "backoffLimit": 0,
        "template": {"spec": pod("x", {}, {"command": ["false"]})["spec"]},
    },
}


async def second_master(ward: Ward) -> None:
    await ward.kube.create(SECOND, HOME)


async def stranger(ward: Ward) -> None:
    """A Sentinel of another failover says hello, as those of one that joined do."""
    found = await ward.kube.get("v1", "Pod", "rfr-vrooli-rf-0", HOME)
    address = (found or {})["status"]["podIP"]
    hello = f"10.244.9.9,26379,{RUN_ID},0,mymaster,{address},6379,0"
    await ward.redis(f"PUBLISH __sentinel__:hello {hello}")


async def heal_sentinel(ward: Ward) -> None:
    await ward.sentinel("SENTINEL RESET mymaster")


async def settle(ward: Ward) -> None:
    """Until none of Redis' pods is so new that it may not know its master yet."""
    pods = await ward.kube.list("v1", "Pod", HOME, "app.kubernetes.io/name=vrooli-rf")
    made = [datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in pods]
    age_s = (datetime.now(UTC) - max(made)).total_seconds()
    await asyncio.sleep(max(0.0, evidence_redis.SETTLED_S + 1 - age_s))


async def lose_master(ward: Ward) -> None:
    await settle(ward)
    await ward.sentinel("SENTINEL REMOVE mymaster", "SENTINEL MONITOR mymaster 127.0.0.1 6379 1")


async def stop_archiving(ward: Ward) -> None:
    await ward.sql("ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()")
    await ward.sql("SELECT pg_logical_emit_message(false, 'a', 'b')", "SELECT pg_switch_wal()")


async def archive_again(ward: Ward) -> None:
    await ward.sql("ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()")


async def without_tls(ward: Ward) -> None:
    address = "host=$(hostname -i) user=vrooli dbname=vrooli sslmode=disable"
    await ward.database("sh", "-c", f'psql "{address}" -c "SELECT 1" || true')


async def freeze_leader(ward: Ward) -> None:
    await ward.database(
        "sh",
        "-c",
        "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline | grep -q '[p]atroni /etc' "
        "&& kill -STOP ${p#/proc/}; done; true",
    )


async def more_instances(ward: Ward) -> None:
    own = await ward.field(POSTGRES, "spec", "instances")
    claim = {**own[0]["dataVolumeClaimSpec"], "storageClassName": "no-such-class"}
    other = {**own[0], "name": "other", "replicas": 1, "dataVolumeClaimSpec": claim}
    await ward.set(POSTGRES, [*own, other], "spec", "instances")


async def one_instance(ward: Ward) -> None:
    found = await ward.field(POSTGRES, "spec", "instances")
    await ward.set(POSTGRES, found[:1], "spec", "instances")


async def seal(ward: Ward) -> None:
    await vault_admin.do(ward.kube, lambda vault: vault.sys.seal())


async def delete_secret(ward: Ward) -> None:
    await vault_admin.do(
        ward.kube,
        lambda vault: vault.secrets.kv.v2.delete_latest_version_of_secret(
            PATH, mount_point="secret"
        ),
    )


async def undelete_secret(ward: Ward) -> None:
    def call(vault: Any) -> None:
        kv = vault.secrets.kv.v2
        meta = kv.read_secret_metadata(PATH, mount_point="secret")["data"]
        kv.undelete_secret_versions(PATH, [meta["current_version"]], mount_point="secret")

    await vault_admin.do(ward.kube, call)


def line_end(add: str) -> Act:
    async def act(ward: Ward) -> None:
        def edit(values: dict[str, str]) -> dict[str, str]:
            return {key: value.strip() + add for key, value in values.items()}

        await vault_admin.change(ward.kube, PATH, edit)

    return act


def policy(rules: str | None) -> Act:
    return lambda ward: vault_admin.set_policy(ward.kube, POLICY, rules)


def role(**settings: Any) -> Act:
    return lambda ward: vault_admin.set_role(ward.kube, **settings)


async def disown(ward: Ward) -> None:
    ref = ("v1", "Secret", "vrooli-dockerhub-pull-secret", HOME)
    await ward.set(ref, None, "metadata", "ownerReferences")


async def forget_template(ward: Ward) -> None:
    await ward.set(REDIS_SECRET, None, *TO_TEMPLATES)


async def recall_template(ward: Ward) -> None:
    text = '{{ get .Secrets "REDIS_PASSWORD" }}'
    await ward.set(REDIS_SECRET, {"password": {"text": text}}, *TO_TEMPLATES)


async def another_password(ward: Ward) -> None:
    """The login role in use gets a password that the rotator, which is stopped, didn't give it."""
    await ward.set(ROTATOR, 0, "spec", "replicas")
    await ward.pods_gone("app.kubernetes.io/component=rotator")
    user = base64.b64decode(await ward.field(PUBLISHED, "data", "DB_USER")).decode()
    secret = ("v1", "Secret", f"vrooli-pg-pguser-{user}", HOME)
    await ward.set(secret, {"password": "b3RoZXI=", "verifier": ""}, "data")


async def rotate_again(ward: Ward) -> None:
    await ward.set(ROTATOR, 1, "spec", "replicas")


def template_of(ref: tuple[str, str, str, str], key: str, old: str, new: str) -> Act:
    async def act(ward: Ward) -> None:
        text = await ward.field(ref, *TO_TEMPLATES, key, "text")
        await ward.set(ref, text.replace(old, new), *TO_TEMPLATES, key, "text")

    return act


async def stale_token(ward: Ward) -> None:
    """The operator logs in while the role lacks a policy, which it gets afterwards."""
    every = (await vault_admin.do(ward.kube, lambda vault: vault.read(vault_admin.ROLE)))["data"]  # type: ignore[index]
    fewer = [name for name in every["token_policies"] if name != POLICY]
    await vault_admin.set_role(ward.kube, token_policies=fewer)
    await ward.set(AUTH, ["vault", "other"], "spec", "kubernetes", "audiences")
    await ward.set(AUTH, ["vault"], "spec", "kubernetes", "audiences")
    await live_faults.until_named(ward.kube, ward.live, "vso-policy-denied")
    await vault_admin.set_role(ward.kube)


RF = "RedisFailover/vrooli-rf"
PG = "PostgresCluster/vrooli-pg"
VA = "VaultAuth/vrooli-dev-vault"
DOCKER = ".dockerconfigjson"
BARE = f'path "secret/{PATH}" {{ capabilities = ["read"] }}'
LIMIT = 'ALTER DATABASE "vrooli" CONNECTION LIMIT'
MAY = 'ON SCHEMA "vrooli"'
OPERATORS = {
    "redis-operator-down": ("redis-operator", "spotahome-redis-operator"),
    "pgo-down": ("postgres-operator", "pgo"),
    "vso-down": (
        "vault-secrets-operator-system",
        "vault-secrets-operator-controller-manager",
    ),
}
FAULTS = {
    **{
        rule: scaled(namespace, "Deployment", name, rule)
        for rule, (namespace, name) in OPERATORS.items()
    },
    "vault-unreachable": scaled(
        "vault", "StatefulSet", "vault", "vault-unreachable", "Service/vault"
    ),
    "vault-unreachable, wrong address": changed(
        "vault-unreachable",
        "VaultConnection/vrooli-dev-vault",
        CONNECTION,
        "http://vualt.vault.svc.cluster.local:8200",
        "http://vault.vault.svc.cluster.local:8200",
        *("spec", "address"),
    ),
    "vault-sealed": Fault("vault-sealed", "Service/vault", seal),
    "vso-role-missing": changed(
        "vso-role-missing",
        VA,
        AUTH,
        "no-such-role",
        "vrooli-vso-sync-role",
        *("spec", "kubernetes", "role"),
    ),
    "vso-auth-mount-missing": changed(
        "vso-auth-mount-missing", VA, AUTH, "no-such-mount", "kubernetes", "spec", "mount"
    ),
    "vso-namespace-refused": Fault(
        "vso-namespace-refused",
        VA,
        role(bound_service_account_namespaces=["elsewhere"]),
        role(),
    ),
    "vso-account-refused": Fault(
        "vso-account-refused",
        VA,
        role(bound_service_account_names=["somebody"]),
        role(),
    ),
    "vso-secret-missing-in-vault": Fault(
        "vso-secret-missing-in-vault",
        "VaultStaticSecret/vrooli-dev-redis",
        delete_secret,
        undelete_secret,
        mend=undelete_secret,
    ),
    "vso-policy-denied": Fault(
        "vso-policy-denied",
        "VaultStaticSecret/vrooli-dev-redis",
        policy('path "secret/data/nothing" { capabilities = ["read"] }'),
        policy(None),
    ),
    "vso-policy-path-without-data": Fault(
        "vso-policy-path-without-data",
        "VaultStaticSecret/vrooli-dev-redis",
        policy(BARE),
        policy(None),
    ),
    "vso-cached-token": Fault(
        "vso-cached-token", "VaultStaticSecret/vrooli-dev-redis", stale_token, role()
    ),
    "vso-template-key-missing": Fault(
        "vso-template-key-missing",
        f"VaultStaticSecret/{PULL[2]}",
        template_of(PULL, DOCKER, ".Secrets.password", ".Secrets.passwort"),
        template_of(PULL, DOCKER, ".Secrets.passwort", ".Secrets.password"),
    ),
    "vso-not-owner": Fault("vso-not-owner", f"VaultStaticSecret/{PULL[2]}", disown),
    "vso-destination-missing": changed(
        "vso-destination-missing",
        f"VaultStaticSecret/{PULL[2]}",
        PULL,
        {"name": "no-such-secret", "create": False},
        {"name": "vrooli-dockerhub-pull-secret", "create": True},
        *("spec", "destination"),
    ),
    "redis-auth-secret-missing": changed(
        "redis-auth-secret-missing",
        RF,
        REDIS,
        "no-such-secret",
        "vrooli-redis-creds",
        *("spec", "auth", "secretPath"),
    ),
    # The rotator publishes neither: what Redis has goes on to work.
    "a source without the key": Fault(
        "rotation-waiting",
        "Deployment/vrooli-dev-rotator",
        forget_template,
        recall_template,
        mend=recall_template,
    ),
    "a source with a new line": Fault(
        "rotation-waiting",
        "Deployment/vrooli-dev-rotator",
        line_end("\n"),
        line_end(""),
        mend=line_end(""),
    ),
    "operator-refuses": changed(
        "operator-refuses",
        RF,
        REDIS,
        "2Gi",
        "512Mi",
        *("spec", "redis", "storage", "persistentVolumeClaim", "spec", "resources", "requests"),
        "storage",
    ),
    "redis-more-replicas-than-sentinels": Fault(
        "redis-more-replicas-than-sentinels",
        RF,
        lambda ward: ward.set(REDIS, 2, "spec", "redis", "replicas"),
        lambda ward: ward.set(
            REDIS, {"redis": {"replicas": 1}, "sentinel": {"replicas": 1}}, "spec"
        ),
    ),
    "redis-dead-pod-blocks-healing": Fault(
        "redis-dead-pod-blocks-healing",
        "Pod/rfr-vrooli-rf-dead",
        lambda ward: ward.kube.create(DEAD, HOME),
        lambda ward: ward.kube.delete("v1", "Pod", "rfr-vrooli-rf-dead", HOME),
    ),
    "redis-wrong-password": Fault(
        "redis-wrong-password", RF, lambda ward: ward.redis("CONFIG SET requirepass another")
    ),
    "redis-split-brain": Fault(
        "redis-split-brain",
        RF,
        second_master,
        lambda ward: ward.kube.delete("v1", "Pod", "rfr-vrooli-rf-second", HOME),
    ),
    "redis-sentinels-joined": Fault("redis-sentinels-joined", RF, stranger, heal_sentinel),
    "redis-sentinel-lost-master": Fault("redis-sentinel-lost-master", RF, lose_master),
    "redis-unreachable": Fault(
        "redis-unreachable", RF, lambda ward: ward.redis("CLIENT PAUSE 90000 ALL")
    ),
    "postgres-archive-failing": Fault(
        "postgres-archive-failing", PG, stop_archiving, archive_again
    ),
    "postgres-schema-missing": Fault(
        "postgres-schema-missing",
        PG,
        lambda ward: ward.sql("ALTER TABLE vrooli.posts OWNER TO postgres", database="vrooli"),
        lambda ward: ward.sql('ALTER TABLE vrooli.posts OWNER TO "vrooli"', database="vrooli"),
    ),
    "postgres-schema-permission": Fault(
        "postgres-schema-permission",
        PG,
        lambda ward: ward.sql(f'REVOKE CREATE {MAY} FROM "vrooli"', database="vrooli"),
        lambda ward: ward.sql(f'GRANT CREATE {MAY} TO "vrooli"', database="vrooli"),
    ),
    "postgres-too-many-connections": Fault(
        "postgres-too-many-connections",
        PG,
        lambda ward: ward.sql(f"{LIMIT} 1"),
        lambda ward: ward.sql(f"{LIMIT} -1"),
    ),
    "postgres-ssl-off": Fault(
        "postgres-ssl-off", "StatefulSet/vrooli-pg-instance1", without_tls, mend=nothing
    ),
    "postgres-no-leader": Fault("postgres-no-leader", PG, freeze_leader),
    "postgres-backup-failed": Fault(
        "postgres-backup-failed",
        "Job/vrooli-pg-backup-test",
        lambda ward: ward.kube.create(BACKUP, HOME),
        lambda ward: ward.kube.delete("batch/v1", "Job", "vrooli-pg-backup-test", HOME),
        mend=lambda ward: ward.kube.delete("batch/v1", "Job", "vrooli-pg-backup-test", HOME),
    ),
    "postgres-storage-class": Fault(
        "postgres-storage-class", "PersistentVolumeClaim/", more_instances, one_instance
    ),
    "rotator-down": Fault(
        "rotator-down", "Deployment/vrooli-dev-rotator", another_password, rotate_again
    ),
}
QUICK = (
    "vso-down",
    "vso-role-missing",
    "redis-wrong-password",
)


@pytest.mark.parametrize(
    "what", [pytest.param(name, marks=() if name in QUICK else long) for name in FAULTS]
)
async def test_a_fault_of_the_data_is_named_alone_and_mended(
    kube: Kube, live: Live, what: str
) -> None:
    fault, ward = FAULTS[what], Ward(kube, live)
    async with live_faults.injured(
        kube, live, lambda: fault.injure(ward), lambda: fault.undo(ward)
    ):
        named = await live_faults.until_named(kube, live, fault.rule, fault.about)
        rule_proofs.record(fault.rule, named)
        assert named.diagnosis.causes[0].finding.evidence or named.diagnosis.causes[0].consequences
        if fault.mend is None:
            await live_faults.run(live, named.command)
        else:
            await fault.mend(ward)


# Rules that go by what probes inside of pods were told.
ASKED = ("vault-", "vso-", "redis-", "postgres-", "dns-", "network-")


async def test_a_reader_who_is_not_let_into_pods_is_told_so_and_blames_nobody(
    kube: Kube, live: Live, tmp_path: Path
) -> None:
    await live_faults.until_healthy(kube, live)
    name, rbac = "vrooli-test-reader", "rbac.authorization.k8s.io"
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    account = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": name}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("v1", "ServiceAccount", {}),
        (f"{rbac}/v1", "ClusterRole", {"rules": rules}),
        (f"{rbac}/v1", "ClusterRoleBinding", {"roleRef": role, "subjects": [account]}),
    ]
    try:
        for version, kind, more in kinds:
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}
            await kube.apply(body, namespace="default")
        config = yaml.safe_load(live.kubeconfig.read_text())
        token = await kube.service_account_token("default", name, 600)
        config["users"][0]["user"] = {"token": token}
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        async with await Kube.connect(tmp_path / "kubeconfig") as reader:
            said = await live_faults.diagnose(reader, live)
    finally:
        for version, kind, _ in kinds:
            await kube.delete(version, kind, name, "default")
    # Events of the test before may still tell of a pod; what can't be asked is nobody's fault.
    named = [cause.finding.rule_id for cause in said.causes]
    assert not [name for name in named if name.startswith(ASKED)], named
    unavailable = {item.resource: item.reason for item in said.unavailable}
    inside = "Redis and PostgreSQL and connectivity and DNS of pods in dev"
    assert "pods/exec" in unavailable[inside]
    assert "pods/portforward" in unavailable["Vault in vault"]
