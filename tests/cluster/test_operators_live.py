"""The three operators and Vault at work: minimal objects of each kind become real things."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.cluster import vault_admin, workload
from vrooli import images, operators, project, vault
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.operators.model import State
from vrooli.secrets import catalog, env_file, kubernetes
from vrooli.secrets.names import POSTGRES_CLUSTER, Names
from vrooli.vault import configuration, manifests, server, tls
from vrooli.vault.client import VaultClient
from vrooli.vault.errors import VaultDeniedError

pytestmark = pytest.mark.root

NAMESPACE = "operators-test"
PASSWORD = "of-the-tests"
(ACCOUNT,) = configuration.SERVICE_ACCOUNTS
# An image is there already; what is waited for is processes, on a busy machine.
READY_S = 240.0
# How long a login with a new password may take to work, seconds.
LOGIN_S = 60.0
# How long a new pod's rules may take to be in force, seconds.
SETTLED_S = 60.0
SMALL = {"requests": {"cpu": "10m", "memory": "32Mi"}}


@pytest.fixture
async def namespace(kube: Kube) -> AsyncIterator[str]:
    """A namespace of these tests, which takes its objects with it."""
    metadata = {"name": NAMESPACE}
    await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    yield NAMESPACE
    for api_version, kind, name in (
        ("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "vrooli-pg"),
        ("databases.spotahome.com/v1", "RedisFailover", "rf"),
        ("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "redis"),
    ):
        await kube.delete(api_version, kind, name, NAMESPACE)


@pytest.fixture
async def admitted(kube: Kube, namespace: str) -> AsyncIterator[str]:
    """The namespace, with the account of VSO's login in it, and accepted by Vault's role."""
    await kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": namespace},
        }
    )
    await vault_admin.set_role(kube, bound_service_account_namespaces=[namespace])
    yield namespace
    await vault_admin.set_role(kube)


@pytest.mark.parametrize("operator", operators.OPERATORS, ids=lambda operator: operator.name)
async def test_operator_is_ready_and_the_seeds_selector_finds_its_pods(
    kube: Kube, operator: operators.Operator
) -> None:
    assert (await operators.status(operator, kube)).state is State.READY
    label = {
        "postgres-operator": "postgres-operator.crunchydata.com/control-plane=postgres-operator",
        "redis-operator": "app.kubernetes.io/name=redis-operator",
        "vault-secrets-operator": "app.kubernetes.io/name=vault-secrets-operator",
    }[operator.name]
    assert await kube.list("v1", "Pod", operator.namespace, label)


async def test_postgres_cluster_becomes_ready_with_the_password_of_a_secrets_file(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    file = tmp_path / ".env.dev"
    env_file.write_first(file)
    await kubernetes.ensure(kube, namespace, file, Names(), Progress())
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "64Mi"}},
    }
    instances = [{"name": "one", "replicas": 1, "dataVolumeClaimSpec": claim, "resources": SMALL}]
    repositories = [{"name": "repo1", "volume": {"volumeClaimSpec": claim}}]
    await kube.apply(
        {
            "apiVersion": "postgres-operator.crunchydata.com/v1beta1",
            "kind": "PostgresCluster",
            "metadata": {"name": POSTGRES_CLUSTER, "namespace": namespace},
            "spec": {
                "postgresVersion": 15,
                "instances": instances,
                "users": [{"name": "vrooli", "databases": ["vrooli"]}],
                "backups": {"pgbackrest": {"repos": repositories}},
            },
        }
    )

    def lack(found: Manifest | None) -> str | None:
        status = (found or {}).get("status", {})
        ready = any(one.get("readyReplicas") for one in status.get("instances", []))
        return None if ready and status.get("usersRevision") else "no instance with its users"

    await kube.wait_for(
        "postgres-operator.crunchydata.com/v1beta1",
        "PostgresCluster",
        POSTGRES_CLUSTER,
        namespace,
        lack,
        READY_S,
    )
    labels = "postgres-operator.crunchydata.com/role=master"
    primary = (await kube.list("v1", "Pod", namespace, labels))[0]["metadata"]["name"]
    password = env_file.read(file)[catalog.POSTGRES.path]["DB_PASSWORD"]
    login = f"host={POSTGRES_CLUSTER}-primary dbname=vrooli user=vrooli password={password}"
    # PGO sets the password a moment after the instance is ready.
    answer = await _exec_soon(kube, namespace, primary, ["psql", login, "-tAc", "select version()"])
    assert answer.startswith("PostgreSQL 15")


async def _exec_soon(kube: Kube, namespace: str, pod: str, argv: list[str]) -> str:
    """What a program prints in the pod's database container, as soon as it succeeds."""
    deadline = time.monotonic() + LOGIN_S
    while True:
        try:
            return await kube.exec(namespace, pod, argv, container="database")
        except VrooliError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(1.0)


async def test_redis_failover_becomes_ready_and_wants_its_password(
    kube: Kube, namespace: str
) -> None:
    password = base64.b64encode(PASSWORD.encode()).decode()
    await kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "rf-password", "namespace": namespace},
            "data": {"password": password},
        }
    )
    # The operator's own choice is to pull always; this image is only in the cluster.
    settings = {
        "image": "localhost/vrooli/redis:7",
        "imagePullPolicy": "IfNotPresent",
        "resources": SMALL,
    }
    await kube.apply(
        {
            "apiVersion": "databases.spotahome.com/v1",
            "kind": "RedisFailover",
            "metadata": {"name": "rf", "namespace": namespace},
            "spec": {
                "redis": {"replicas": 1, **settings},
                "sentinel": {"replicas": 1, **settings},
                "auth": {"secretPath": "rf-password"},
            },
        }
    )

    def lack(found: Manifest | None) -> str | None:
        return None if (found or {}).get("status", {}).get("readyReplicas") else "no pod ready"

    await kube.wait_for("apps/v1", "StatefulSet", "rfr-rf", namespace, lack, READY_S)
    await kube.wait_for("apps/v1", "Deployment", "rfs-rf", namespace, lack, READY_S)
    ping = await kube.exec(namespace, "rfr-rf-0", ["redis-cli", "ping"], container="redis")
    assert "NOAUTH" in ping


HTTP = {"address": f"http://vault.vault.svc.cluster.local:{manifests.PORT}"}
HTTPS = {
    "address": f"https://vault.vault.svc.cluster.local:{manifests.TLS_PORT}",
    "caCertSecretRef": "vault-ca",
}


async def sync_redis(
    kube: Kube, namespace: str, connection: dict[str, str], name: str = "synced"
) -> None:
    """Have VSO sync the secret of Redis over a connection, into a Secret of this name."""
    api = {"apiVersion": "secrets.hashicorp.com/v1beta1"}
    metadata = {"name": "redis", "namespace": namespace}
    login = {
        "role": configuration.VSO_ROLE,
        "serviceAccount": ACCOUNT,
        "audiences": [configuration.AUDIENCE],
    }
    auth = {"vaultConnectionRef": "redis", "method": "kubernetes", "mount": "kubernetes"}
    secret = {
        "vaultAuthRef": "redis",
        "mount": "secret",
        "type": "kv-v2",
        "path": catalog.REDIS.path,
        "destination": {"name": name, "create": True},
    }
    for kind, spec in (
        ("VaultConnection", connection),
        ("VaultAuth", {**auth, "kubernetes": login}),
        ("VaultStaticSecret", secret),
    ):
        body = {**api, "kind": kind, "metadata": metadata, "spec": spec}
        await kube.apply(body)
        await tls.ensure_trust(kube, namespace, [body])


@pytest.mark.parametrize("connection", [HTTP, HTTPS], ids=["http", "https"])
async def test_secret_in_vault_becomes_a_secret_of_kubernetes(
    kube: Kube, admitted: str, connection: dict[str, str]
) -> None:
    namespace = admitted
    async with server.connect(kube) as administrator:
        wanted = await administrator.read_secret("secret", catalog.REDIS.path)
    assert wanted is not None
    await sync_redis(kube, namespace, connection)

    def lack(found: Manifest | None) -> str | None:
        return None if found and found.get("data") else "VSO has not filled it"

    synced = await kube.wait_for("v1", "Secret", "synced", namespace, lack, READY_S)
    data = {key: base64.b64decode(value).decode() for key, value in synced["data"].items()}
    # Not `_raw`, which would hand everything to whoever takes the Secret by envFrom.
    assert data == wanted


@pytest.mark.parametrize(
    ("connection", "refusal"),
    [
        ({**HTTPS, "caCertSecretRef": ""}, "x509: certificate signed by unknown authority"),
        (
            {"address": HTTPS["address"].replace("https:", "http:")},
            "Client sent an HTTP request to an HTTPS server",
        ),
    ],
    ids=["another CA", "plain http"],
)
async def test_the_operator_gets_nothing_over_a_connection_that_is_not_trusted(
    kube: Kube, admitted: str, connection: dict[str, str], refusal: str
) -> None:
    await sync_redis(kube, admitted, connection, "refused")
    deadline = time.monotonic() + SETTLED_S
    while not any(refusal in str(item) for item in await kube.list("v1", "Event", admitted)):
        assert time.monotonic() < deadline
        await asyncio.sleep(1)
    assert await kube.get("v1", "Secret", "refused", admitted) is None


async def vso_token(
    kube: Kube, namespace: str, account: str = ACCOUNT, audience: str = configuration.AUDIENCE
) -> str:
    """The token of a service account as VSO would present it to Vault."""
    return await kube.service_account_token(namespace, account, 600, [audience] if audience else [])


@pytest.mark.parametrize(
    ("where", "account", "audience"),
    [
        ("", "default", "vault"),  # the account of pods that name none
        ("", ACCOUNT, ""),  # what a pod has: a token for the API server
        ("default", "default", "vault"),
        ("kube-system", "default", ""),
    ],
)
async def test_no_other_account_and_no_token_for_another_audience_may_log_in(
    kube: Kube, admitted: str, where: str, account: str, audience: str
) -> None:
    async with server.connect(kube) as administrator:
        stranger = VaultClient(administrator.address, verify=administrator.verify)
        token = await vso_token(kube, where or admitted, account, audience)
        with pytest.raises(VaultDeniedError):
            await stranger.log_in(configuration.VSO_ROLE, token)


@pytest.mark.parametrize(
    ("label", "is_let_in"), [({}, False), (manifests.CHECK_LABELS, True)], ids=["any", "check"]
)
async def test_pods_of_checks_reach_vault_and_others_do_not(
    kube: Kube,
    label: dict[str, str],
    is_let_in: bool,
) -> None:
    name = "reaches-vault" if is_let_in else "reaches-no-vault"
    metadata = {"name": name, "labels": label}
    await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    try:
        # A new pod may be open until its rules are there; what is refused, is refused afterwards.
        asker = workload.pod("asker")
        asker["metadata"]["namespace"] = name
        await kube.apply(asker)
        await workload.wait_for_pod(kube, "asker", READY_S, namespace=name)
        deadline = time.monotonic() + SETTLED_S
        while await _reaches_vault(kube, name) is not is_let_in:
            assert time.monotonic() < deadline
            await asyncio.sleep(1)
    finally:
        await kube.delete("v1", "Namespace", name)


async def _reaches_vault(kube: Kube, namespace: str) -> bool:
    address = f"{manifests.NAME}.{manifests.NAMESPACE}.svc:{manifests.PORT}"
    script = "use IO::Socket::INET; print 1 if IO::Socket::INET->new(PeerAddr=>shift,Timeout=>2)"
    return await kube.exec(namespace, "asker", ["perl", "-e", script, address]) == "1"


async def test_vsos_role_reads_the_five_secrets_and_no_sixth(kube: Kube, admitted: str) -> None:
    async with server.connect(kube) as administrator:
        await administrator.create_secret("secret", "vrooli/secrets/sixth", {"KEY": "value"})
        syncing = VaultClient(administrator.address, verify=administrator.verify)
        await syncing.log_in(configuration.VSO_ROLE, await vso_token(kube, admitted))
        for spec in catalog.ALL:
            assert await syncing.read_secret("secret", spec.path)
        with pytest.raises(VaultDeniedError):
            await syncing.read_secret("secret", "vrooli/secrets/sixth")
        with pytest.raises(VaultDeniedError):
            await syncing.create_secret("secret", "vrooli/secrets/seventh", {"KEY": "value"})


async def test_only_the_administrators_account_is_let_in_as_administrator(
    kube: Kube, admitted: str
) -> None:
    async with server.connect(kube) as administrator:
        stranger = VaultClient(administrator.address, verify=administrator.verify)
        with pytest.raises(VaultDeniedError):
            await stranger.log_in(
                manifests.ADMIN_ROLE, await vso_token(kube, admitted, audience="")
            )


async def test_vault_heals_itself_and_keeps_its_secrets_when_its_pod_dies(kube: Kube) -> None:
    async with server.connect(kube) as administrator:
        before = await administrator.read_secret("secret", catalog.POSTGRES.path)
    old = await kube.get("v1", "Pod", manifests.POD, manifests.NAMESPACE)
    assert old is not None
    await kube.delete("v1", "Pod", manifests.POD, manifests.NAMESPACE)

    def lack(found: Manifest | None) -> str | None:
        if found is None or found["metadata"]["uid"] == old["metadata"]["uid"]:
            return "not replaced yet"
        conditions = found.get("status", {}).get("conditions", [])
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return None if ready else "not ready yet"

    await kube.wait_for("v1", "Pod", manifests.POD, manifests.NAMESPACE, lack, READY_S)
    async with server.connect(kube) as administrator:
        assert await administrator.read_secret("secret", catalog.POSTGRES.path) == before


async def test_second_run_changes_nothing_in_vault(kube: Kube) -> None:
    # What develop installed it with; another image would rightly restart the server.
    built = (await images.ensure(["openbao"], {}, Progress()))["openbao"]
    done = await vault.ensure(
        kube, project.policies_dir(), Progress(), image_hash=built.inputs_hash
    )
    assert not done.changed
