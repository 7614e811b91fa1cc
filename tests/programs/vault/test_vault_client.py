"""The client of Vault's API, against a real server."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import hvac
import pytest

from support.programs.openbao import Server, running
from support.programs.ports import free_port
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.vault.client import VaultClient
from vrooli.vault.errors import VaultConflictError, VaultDeniedError, VaultSealedError


@pytest.fixture
def client(vault: Server) -> VaultClient:
    return VaultClient(vault.address, vault.token)


def some_path() -> str:
    """A path that no other test uses."""
    return f"tests/{uuid.uuid4()}"


async def test_secret_is_created_once_and_then_left_alone(client: VaultClient) -> None:
    path = some_path()
    assert await client.create_secret("secret", path, {"PASSWORD": "first"})
    assert not await client.create_secret("secret", path, {"PASSWORD": "second"})
    assert await client.read_secret("secret", path) == {"PASSWORD": "first"}


async def test_secret_that_someone_deleted_is_not_made_again(
    client: VaultClient, vault: Server
) -> None:
    path = some_path()
    await client.create_secret("secret", path, {"PASSWORD": "first"})
    root = hvac.Client(vault.address, vault.token)
    root.secrets.kv.v2.delete_latest_version_of_secret(path)
    assert not await client.create_secret("secret", path, {"PASSWORD": "second"})
    assert await client.read_secret("secret", path) is None


async def test_secret_that_never_was_reads_as_none(client: VaultClient) -> None:
    assert await client.read_secret("secret", some_path()) is None


async def test_policy_is_written_only_when_it_differs(client: VaultClient) -> None:
    name, rules = f"test-{uuid.uuid4()}", 'path "secret/data/a" { capabilities = ["read"] }'
    assert await client.ensure_policy(name, rules)
    assert not await client.ensure_policy(name, rules)
    assert await client.ensure_policy(name, rules.replace("/a", "/b"))


async def test_engine_of_the_right_kind_is_kept(client: VaultClient) -> None:
    assert not await client.ensure_kv("secret")
    mount = f"kv-{uuid.uuid4()}"
    assert await client.ensure_kv(mount)
    assert not await client.ensure_kv(mount)


async def test_other_engine_at_the_mount_is_refused(client: VaultClient) -> None:
    with pytest.raises(VrooliError, match="at cubbyhole/ instead of a KV engine of version 2"):
        await client.ensure_kv("cubbyhole")


async def test_wrong_token_is_named_as_refusal(vault: Server) -> None:
    stranger = VaultClient(vault.address, "nobody")
    with pytest.raises(VaultDeniedError, match="refused to create secret/"):
        await stranger.create_secret("secret", some_path(), {"PASSWORD": "very-secret"})


async def test_right_that_a_refused_mount_requires_is_named(
    client: VaultClient, vault: Server
) -> None:
    limited = VaultClient(vault.address, vault.token)
    await client.ensure_policy("lister", 'path "sys/mounts" { capabilities = ["read"] }')
    await limited.use_token_of(["lister"], 60)
    with pytest.raises(VaultDeniedError, match="refused to mount new/") as refused:
        await limited.ensure_kv("new")
    assert "the capabilities create and update at sys/mounts/new" in refused.value.advice
    assert "Log in" not in refused.value.advice
    await client.ensure_policy(
        "mounter", 'path "sys/mounts/new" { capabilities = ["create", "update"] }'
    )
    allowed = VaultClient(vault.address, vault.token)
    await allowed.use_token_of(["lister", "mounter"], 60)
    assert await allowed.ensure_kv("new")
    stranger = VaultClient(vault.address, vault.token)
    await stranger.use_token_of(["default"], 60)
    with pytest.raises(VaultDeniedError, match="refused to list its engines") as refused:
        await stranger.ensure_kv("new")
    assert "the capability read at sys/mounts" in refused.value.advice


async def test_failure_never_shows_the_values(vault: Server) -> None:
    client = VaultClient(vault.address, vault.token)
    with pytest.raises(VrooliError) as raised:
        await client.create_secret("no-such-mount", some_path(), {"PASSWORD": "very-secret"})
    assert "very-secret" not in f"{raised.value} {raised.value.__cause__}"


async def test_vault_that_is_down_is_a_lack_with_advice() -> None:
    client = VaultClient(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PrerequisiteError, match="did not answer") as raised:
        await client.check_ready()
    assert "kubectl get pods -n vault" in raised.value.advice


async def test_ready_vault_passes_the_check(client: VaultClient) -> None:
    await client.check_ready()


async def test_sealed_vault_is_said_to_be_sealed(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    arguments = ("-dev", "-dev-no-store-token", "-dev-root-token-id=sealer")
    listen = f"-dev-listen-address=127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("sealed") / "log"
    with running((*arguments, listen), f"http://127.0.0.1:{port}", log) as server:
        hvac.Client(server.address, "sealer").sys.seal()
        with pytest.raises(VaultSealedError, match="is sealed") as raised:
            await VaultClient(server.address).check_ready()
    assert "Unseal it" in raised.value.advice


async def test_a_namespace_has_its_own_engines_and_reports_health(vault: Server) -> None:
    name = f"team-{uuid.uuid4()}"
    hvac.Client(vault.address, vault.token).write_data(f"sys/namespaces/{name}", data={})
    client = VaultClient(vault.address, vault.token, namespace=name)
    await client.check_ready()
    assert await client.ensure_kv("secret")
    path = some_path()
    assert await client.create_secret("secret", path, {"PASSWORD": "inside"})
    assert await client.read_secret("secret", path) == {"PASSWORD": "inside"}
    assert await VaultClient(vault.address, vault.token).read_secret("secret", path) is None
    client.close()


async def test_a_version_is_written_only_over_the_one_that_was_read(client: VaultClient) -> None:
    path = some_path()
    assert await client.read_version("secret", path) is None
    await client.create_secret("secret", path, {"PASSWORD": "first"})
    assert await client.read_version("secret", path) == ({"PASSWORD": "first"}, 1)
    assert await client.write_version("secret", path, {"PASSWORD": "second"}, 1) == 2
    with pytest.raises(VaultConflictError, match="changed by somebody else"):
        await client.write_version("secret", path, {"PASSWORD": "third"}, 1)
    assert await client.read_version("secret", path) == ({"PASSWORD": "second"}, 2)


async def test_each_version_is_read_with_what_became_of_it(
    client: VaultClient, vault: Server
) -> None:
    path, before = some_path(), datetime.now(UTC)
    assert await client.version("secret", path) is None
    await client.create_secret("secret", path, {"PASSWORD": "first"})
    await client.write_version("secret", path, {"PASSWORD": "second"}, 1)
    await client.write_version("secret", path, {"PASSWORD": "third"}, 2)
    kv = hvac.Client(vault.address, vault.token).secrets.kv.v2
    kv.destroy_secret_versions(path, versions=[1])
    kv.delete_secret_versions(path, versions=[2])
    first, second, third = [await client.version("secret", path, n) for n in (1, 2, 3)]
    assert first and second and third
    assert (first.values, first.is_destroyed) == (None, True)
    assert (second.values, second.is_destroyed) == (None, False)
    assert (third.number, third.values) == (3, {"PASSWORD": "third"})
    assert before <= third.created <= datetime.now(UTC)
    assert "third" not in repr(third)
    assert await client.version("secret", path) == third
    assert await client.version("secret", path, 4) is None
    kv.delete_latest_version_of_secret(path)
    current = await client.version("secret", path)
    assert current is not None
    assert (current.number, current.values) == (3, None)
    assert await client.write_version("secret", path, {"PASSWORD": "fourth"}, 3) == 4


async def test_the_capability_that_reading_a_version_requires_is_named(
    client: VaultClient, vault: Server
) -> None:
    stranger = VaultClient(vault.address, vault.token)
    await stranger.use_token_of(["default"], 60)
    with pytest.raises(VaultDeniedError, match="refused to read version 2 of secret/a") as refused:
        await stranger.version("secret", "a", 2)
    assert "the capability read at secret/data/a" in refused.value.advice
