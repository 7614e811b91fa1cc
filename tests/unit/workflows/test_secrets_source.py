"""The source of a release's secrets does not change."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS, SecretsSource
from vrooli.errors import UsageError
from vrooli.secrets import catalog, kubernetes
from vrooli.secrets.names import Names
from vrooli.workflows.safeguards.secrets_source import refuse_change

DEV = ENVIRONMENTS["dev"]
FILE, VAULT = SecretsSource.FILE, SecretsSource.VAULT
OTHER_NAMES = {"vso": {"secrets": {"postgres": {"k8sSecretName": "of-the-site"}}}}


def _of_a_file() -> FakeCluster:
    created = {spec.path: spec.first_values() for spec in catalog.ALL}
    return FakeCluster(*kubernetes.manifests(created, Names.of(OTHER_NAMES)))


def _of_vault(**changes: Any) -> FakeCluster:
    changed = values.merge(values.load(DEV), changes)
    rendered = engine.render(changed, release=DEV.release, namespace=DEV.namespace)
    filled = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": catalog.POSTGRES.kubernetes,
            "labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"},
        },
    }
    return FakeCluster(filled, *(dict(item.body) for item in rendered))


@pytest.mark.parametrize("source", SecretsSource)
async def test_a_new_release_may_have_either_source(source: SecretsSource) -> None:
    await refuse_change(FakeCluster(), DEV, source)


async def test_a_release_retains_its_source() -> None:
    await refuse_change(_of_a_file(), DEV, FILE)
    await refuse_change(_of_vault(), DEV, VAULT)


async def test_the_other_source_is_refused_with_the_command_to_change_it() -> None:
    with pytest.raises(UsageError, match="from a file") as to_vault:
        await refuse_change(_of_a_file(), DEV, VAULT)
    assert "vrooli uninstall --environment dev --data" in to_vault.value.advice
    with pytest.raises(UsageError, match="from Vault") as to_file:
        await refuse_change(_of_vault(), DEV, FILE)
    assert "vrooli uninstall --environment dev`" in to_file.value.advice


async def test_a_release_of_vault_is_recognized_under_other_names() -> None:
    with pytest.raises(UsageError, match="has its secrets from Vault"):
        await refuse_change(_of_vault(fullnameOverride="mine"), DEV, FILE)
