"""The value that a rotation writes, and the one of an interrupted rotation that it continues."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, pod
from support.release.rotated_secrets import (
    DOCKERHUB_SYNC,
    PLACE,
    POSTGRES_SYNC,
    REDIS_SYNC,
    SHARED_SYNC,
    FakeVault,
    deployment,
    secret,
)
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.kube.execution import Completed, Program
from vrooli.rotation import values
from vrooli.rotation.model import Rotated, Target, Value
from vrooli.vault.client import VaultClient
from vrooli.vault.errors import VaultConflictError

POSTGRES = Target(PLACE, POSTGRES_SYNC, "rotator", "state", name=Rotated.POSTGRES)
REDIS = Target(PLACE, REDIS_SYNC, "rotator", "state", name=Rotated.REDIS)
SHARED = Target(PLACE, SHARED_SYNC, name=Rotated.SHARED)
DOCKERHUB = Target(PLACE, DOCKERHUB_SYNC, name=Rotated.DOCKERHUB)
OLD = {"DB_USER": "vrooli", "DB_PASSWORD": "old"}

pytestmark = pytest.mark.anyio


async def ensure(
    vault: FakeVault, target: Target, *secrets: dict[str, Any], replacement: str = ""
) -> Value:
    return await values.ensure(cast(VaultClient, vault), FakeCluster(*secrets), target, replacement)


def postgres_vault(password: str) -> FakeVault:
    return FakeVault(POSTGRES.path, {**OLD, "DB_PASSWORD": password})


async def test_at_rest_a_new_value_replaces_the_key_alone() -> None:
    vault = postgres_vault("old")
    value = await ensure(vault, POSTGRES, secret("vrooli-postgres-creds", OLD))
    assert value.is_written
    assert value.version == 2
    assert value.previous == OLD
    assert vault.values == {"DB_USER": "vrooli", "DB_PASSWORD": value.new}
    assert len(value.new) == 48
    assert value.new not in repr(value)


async def test_a_value_that_is_not_published_yet_is_continued() -> None:
    vault = postgres_vault("newer")
    value = await ensure(vault, POSTGRES, secret("vrooli-postgres-creds", OLD))
    assert value == Value("newer", False, OLD, 1)
    assert vault.version == 1


async def test_a_published_value_is_continued_until_the_database_refuses_the_previous() -> None:
    published = secret("vrooli-postgres-creds", {**OLD, "DB_PASSWORD": "newer"})
    state = secret("state", {"postgres.rotating": "true"})
    value = await ensure(postgres_vault("newer"), POSTGRES, published, state)
    assert value == Value("newer", False, {}, 1)


async def test_the_previous_password_of_redis_is_known_while_both_are_accepted() -> None:
    vault = FakeVault(REDIS.path, {"REDIS_PASSWORD": "newer"})
    published = secret("vrooli-redis-creds", {"REDIS_PASSWORD": "newer"})
    state = secret("state", {"redis.previous": "old"})
    value = await ensure(vault, REDIS, published, state)
    assert value == Value("newer", False, {"REDIS_PASSWORD": "old"}, 1)


@pytest.mark.parametrize("unusable", ["", "two words"])
async def test_a_value_that_cannot_be_used_is_replaced(unusable: str) -> None:
    vault = FakeVault(REDIS.path, {"REDIS_PASSWORD": unusable})
    value = await ensure(vault, REDIS, secret("vrooli-redis-creds", {"REDIS_PASSWORD": "old"}))
    assert value.is_written


async def test_a_token_is_written_unless_pods_get_it_already() -> None:
    config = json.dumps({"auths": {"registry": {"username": "u", "password": "one"}}})
    published = secret("vrooli-dockerhub-pull-secret", {".dockerconfigjson": config})
    vault = FakeVault(DOCKERHUB.path, {"username": "u", "password": "one"})
    assert (await ensure(vault, DOCKERHUB, published, replacement="two")).is_written
    assert vault.values == {"username": "u", "password": "two"}
    assert not (await ensure(vault, DOCKERHUB, published, replacement="two")).is_written


async def test_a_given_value_with_a_null_byte_is_refused() -> None:
    vault = FakeVault(DOCKERHUB.path, {})
    with pytest.raises(UsageError, match="null byte"):
        await ensure(vault, DOCKERHUB, replacement="a\0b")
    assert vault.version == 1


async def test_a_secret_that_vault_does_not_have_is_refused() -> None:
    with pytest.raises(PrerequisiteError, match="Vault has no secret"):
        await ensure(FakeVault("other", {}), POSTGRES)


async def test_a_concurrent_change_in_vault_is_not_overwritten() -> None:
    class Changed(FakeVault):
        async def read_version(self, mount: str, path: str) -> tuple[dict[str, str], int] | None:
            read = await super().read_version(mount, path)
            self.version += 1
            return read

    vault = Changed(POSTGRES.path, OLD)
    with pytest.raises(VaultConflictError):
        await ensure(vault, POSTGRES, secret("vrooli-postgres-creds", OLD))
    assert vault.values == OLD


def shared_cluster(values: dict[str, str | None]) -> FakeCluster:
    """A published key, and pods of the server with these keys; None does not answer."""
    reference = {"secretRef": {"name": SHARED.published}}
    cluster = FakeCluster(
        secret(SHARED.published, {"JWT_SECRET": "newer"}),
        deployment("server", {"name": "main", "envFrom": [reference]}),
        *(pod(name, {"app": "server"}) for name in values),
    )

    def run(program: Program) -> Completed:
        value = values[program.pod]
        if value is None:
            raise VrooliError("the container starts")
        return output(f"{sha256(value.encode()).hexdigest()}  -\n")

    for name in values:
        cluster.server.programs.handlers[PLACE, name, "main"] = run
    return cluster


@pytest.mark.parametrize(
    ("values_of_pods", "is_continued"),
    [
        ({"a": "newer", "b": "old"}, True),
        ({"a": None, "b": "old"}, True),
        ({"a": "newer", "b": "newer"}, False),
        ({"a": "newer", "b": None}, False),
        ({}, False),
    ],
)
async def test_a_shared_key_that_some_pods_lack_is_continued(
    values_of_pods: dict[str, str | None], is_continued: bool
) -> None:
    vault = FakeVault(SHARED.path, {"JWT_SECRET": "newer"})
    cluster = shared_cluster(values_of_pods)
    value = await values.ensure(cast(VaultClient, vault), cluster, SHARED)
    assert value.is_written is not is_continued
    assert (vault.version == 1) is is_continued
    assert (value.new == "newer") is is_continued
