"""Which secret of a release is rotated, and when none can be."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.rotated_secrets import (
    DOCKERHUB_SYNC,
    POSTGRES_SYNC,
    SHARED_SYNC,
    deployment,
    labeled,
    rotator,
    secret,
)
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.rotation import targets
from vrooli.rotation.model import Rotated
from vrooli.secrets import catalog, kubernetes
from vrooli.secrets.names import Names

DEV = ENVIRONMENTS["dev"]
OF_A_FILE = secret("any", {})
OF_A_FILE["metadata"]["labels"] = kubernetes.LABELS

pytestmark = pytest.mark.anyio


async def test_a_password_is_published_by_the_rotator() -> None:
    cluster = FakeCluster(POSTGRES_SYNC, rotator())
    target = await targets.find(cluster, DEV, Rotated.POSTGRES)
    assert (target.mount, target.path) == ("secret", "vrooli/secrets/postgres")
    assert target.source == "vrooli-postgres-creds-vault"
    assert target.published == "vrooli-postgres-creds"
    assert (target.rotator, target.state_secret) == ("vrooli-dev-rotator", "vrooli-dev-rotation")


async def test_the_rotator_is_found_by_its_labels_under_any_name() -> None:
    cluster = FakeCluster(POSTGRES_SYNC, rotator(name="mine-rotator"))
    target = await targets.find(cluster, DEV, Rotated.POSTGRES)
    assert target.rotator == "mine-rotator"


async def test_keys_of_the_services_are_written_by_vso() -> None:
    target = await targets.find(FakeCluster(SHARED_SYNC), DEV, Rotated.SHARED)
    assert target.source == target.published == "vrooli-secrets-shared-server-jobs"
    assert target.rotator == ""


@pytest.mark.parametrize(
    ("objects", "error", "message"),
    [
        ((), PrerequisiteError, "does not read database from Vault, or does not exist"),
        ((OF_A_FILE,), UsageError, "has its secrets from a file"),
        ((POSTGRES_SYNC,), PrerequisiteError, "No rotator publishes"),
        (
            (POSTGRES_SYNC, labeled(deployment("vrooli-dev-rotator", {"name": "rotator"}))),
            PrerequisiteError,
            "No rotator publishes",
        ),
        ((POSTGRES_SYNC, rotator(ready=False)), PrerequisiteError, "is not ready"),
    ],
)
async def test_a_rotation_is_refused_with_its_reason(
    objects: tuple[dict[str, Any], ...], error: type[Exception], message: str
) -> None:
    cluster = FakeCluster(*objects)
    with pytest.raises(error, match=message):
        await targets.find(cluster, DEV, Rotated.POSTGRES)
    assert cluster.changes == []


async def test_the_file_source_names_what_to_do() -> None:
    with pytest.raises(UsageError) as error:
        await targets.find(FakeCluster(OF_A_FILE), DEV, Rotated.REDIS)
    assert "REDIS_PASSWORD" in error.value.advice
    assert "vrooli develop -e dev --secrets-source file" in error.value.advice


@pytest.mark.parametrize(
    ("name", "sync"), [(Rotated.SHARED, SHARED_SYNC), (Rotated.DOCKERHUB, DOCKERHUB_SYNC)]
)
async def test_a_secret_is_found_by_its_key_in_the_values_and_not_by_its_name(
    name: Rotated, sync: dict[str, Any]
) -> None:
    renamed = {**sync, "spec": {**sync["spec"], "destination": {"name": "of-the-site"}}}
    target = await targets.find(FakeCluster(renamed), DEV, name)
    assert (target.name, target.published) == (name, "of-the-site")


async def test_secrets_of_a_file_are_found_whatever_their_names() -> None:
    values = {"vso": {"secrets": {"redis": {"k8sSecretName": "of-the-site"}}}}
    written = {spec.path: spec.first_values() for spec in catalog.ALL}
    cluster = FakeCluster(*kubernetes.manifests(written, Names.of(values)))
    assert cluster.find("Secret", "of-the-site") is not None
    with pytest.raises(UsageError, match="has its secrets from a file"):
        await targets.find(cluster, DEV, Rotated.REDIS)
