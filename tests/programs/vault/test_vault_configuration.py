"""What Vrooli configures in a Vault: on a real server, read back with real tokens."""

from __future__ import annotations

from pathlib import Path

import hvac
import pytest
from hvac.exceptions import Forbidden

from support.programs.openbao import Server
from vrooli import project
from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.secrets import catalog, key_pairs
from vrooli.steps import Done
from vrooli.vault import configuration, policies
from vrooli.vault.client import VaultClient


@pytest.fixture
async def configured(vault: Server) -> VaultClient:
    """A client of a Vault that was configured, as root."""
    client = VaultClient(vault.address, vault.token)
    root = hvac.Client(vault.address, vault.token)
    if "kubernetes/" not in root.sys.list_auth_methods()["data"]:
        root.sys.enable_auth_method("kubernetes")
    await configure(client)
    return client


async def configure(
    client: VaultClient,
    read: configuration.ReadKeys | None = None,
    **role: tuple[str, ...],
) -> Done:
    settings = configuration.role_settings(**role)
    return await configuration.configure(client, project.policies_dir(), Progress(), settings, read)


def syncing(vault: Server) -> hvac.Client:
    """A client with what the role of the specification gives to VSO."""
    return reading(vault, policies.NAMES)


async def test_second_run_changes_nothing(configured: VaultClient) -> None:
    done = await configure(configured)
    assert not done.changed
    assert done.detail == ""


# Of staging, whose secret no other test reads.
SHARED = ("secret", policies.SCOPES[1].path(catalog.SERVER_JOBS.path))
READ = {SHARED: key_pairs.NAMES | {"JWT_SECRET"}, ("secret", "vrooli/none"): key_pairs.NAMES}


async def test_missing_key_pairs_are_added_once_beside_the_other_values(
    configured: VaultClient,
) -> None:
    before = await configured.read_secret(*SHARED)
    done = await configure(configured, READ)
    assert done.detail == "generated JWT_PRIV, JWT_PUB, VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY"
    after = await configured.read_secret(*SHARED)
    assert before is not None
    assert after is not None
    assert set(after) - set(before) == key_pairs.NAMES
    assert {key: after[key] for key in before} == before
    assert not (await configure(configured, READ)).changed
    assert await configured.read_secret(*SHARED) == after


async def test_a_key_without_its_pair_is_left_to_its_owner(configured: VaultClient) -> None:
    found = await configured.read_version(*SHARED)
    assert found is not None
    values = {key: value for key, value in found[0].items() if key not in key_pairs.NAMES}
    values["JWT_PUB"] = "of the site"
    await configured.write_version(*SHARED, values, found[1])
    done = await configure(configured, {SHARED: frozenset({"JWT_PRIV", "JWT_PUB"})})
    assert not done.changed
    assert await configured.read_secret(*SHARED) == values


@pytest.mark.parametrize("spec", catalog.ALL, ids=lambda spec: spec.path)
async def test_role_reads_each_of_the_five_secrets(
    configured: VaultClient, vault: Server, spec: catalog.SecretSpec
) -> None:
    read = syncing(vault).secrets.kv.v2.read_secret_version(
        spec.path, raise_on_deleted_version=True
    )
    assert set(read["data"]["data"]) == {key.name for key in spec.keys}


async def test_role_reads_no_sixth_path(configured: VaultClient, vault: Server) -> None:
    await configured.create_secret("secret", "vrooli/secrets/sixth", {"KEY": "value"})
    with pytest.raises(Forbidden):
        syncing(vault).secrets.kv.v2.read_secret_version(
            "vrooli/secrets/sixth", raise_on_deleted_version=True
        )


@pytest.mark.parametrize("spec", catalog.ALL, ids=lambda spec: spec.path)
async def test_role_writes_none_of_the_five(
    configured: VaultClient, vault: Server, spec: catalog.SecretSpec
) -> None:
    with pytest.raises(Forbidden):
        syncing(vault).secrets.kv.v2.create_or_update_secret(spec.path, secret={"KEY": "mine"})


def reading(vault: Server, names: tuple[str, ...]) -> hvac.Client:
    """A client with what a role gives to VSO: a token of its policies."""
    root = hvac.Client(vault.address, vault.token)
    token = root.auth.token.create(policies=list(names), ttl="5m")
    return hvac.Client(vault.address, token["auth"]["client_token"])


@pytest.mark.parametrize("scope", policies.SCOPES, ids=lambda scope: scope.environment or "shared")
async def test_a_role_reads_the_secrets_of_its_environment_and_of_no_other(
    configured: VaultClient, vault: Server, scope: policies.Scope
) -> None:
    role = await configured.role("kubernetes", scope.role)
    assert role is not None
    assert sorted(role["bound_service_account_namespaces"]) == sorted(scope.namespaces)
    assert (role["bound_service_account_names"], role["audience"]) == (["vrooli-vso"], "vault")
    kv = reading(vault, tuple(role["token_policies"])).secrets.kv.v2
    for path in policies.PATHS:
        if path in scope.paths:
            assert kv.read_secret_version(path, raise_on_deleted_version=True)["data"]["data"]
        else:
            with pytest.raises(Forbidden):
                kv.read_secret_version(path, raise_on_deleted_version=True)


async def test_environments_have_different_passwords(configured: VaultClient) -> None:
    read = [
        await configured.read_secret("secret", scope.path(catalog.POSTGRES.path))
        for scope in policies.SCOPES
    ]
    passwords = {values["DB_PASSWORD"] for values in read if values}
    assert len(passwords) == len(policies.SCOPES)


async def test_passwords_survive_a_second_run(configured: VaultClient) -> None:
    before = await configured.read_secret("secret", catalog.POSTGRES.path)
    await configure(configured)
    assert before is not None
    assert len(before["DB_PASSWORD"]) == 2 * catalog.PASSWORD_BYTES
    assert await configured.read_secret("secret", catalog.POSTGRES.path) == before


async def test_role_accepts_one_account_of_the_environments_with_an_audience(
    configured: VaultClient, vault: Server
) -> None:
    role = hvac.Client(vault.address, vault.token).read("auth/kubernetes/role/vrooli-vso-sync-role")
    assert role["data"]["bound_service_account_names"] == ["vrooli-vso"]
    assert sorted(role["data"]["bound_service_account_namespaces"]) == [
        "dev",
        "production",
        "staging",
    ]
    assert role["data"]["audience"] == "vault"
    assert sorted(role["data"]["token_policies"]) == sorted(policies.NAMES)


async def test_role_can_be_bound_as_the_specification_says(configured: VaultClient) -> None:
    await configure(configured, service_accounts=("default",), namespaces=("*",))
    role = await configured.role("kubernetes", configuration.VSO_ROLE)
    assert role is not None
    assert role["bound_service_account_names"] == ["default"]
    assert role["bound_service_account_namespaces"] == ["*"]


async def test_other_binding_of_the_role_is_written(configured: VaultClient, vault: Server) -> None:
    done = await configure(configured, namespaces=("dev",))
    assert done.detail == "wrote role vrooli-vso-sync-role"
    assert (await configure(configured)).changed


def test_missing_policy_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"vrooli-secrets-redis-read-policy\.hcl"):
        policies.read(tmp_path)
