"""The source of a release's secrets is kept."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS, SecretsSource
from vrooli.errors import UsageError
from vrooli.secrets import catalog, kubernetes
from vrooli.workflows.safeguards.secrets_source import refuse_change

DEV = ENVIRONMENTS["dev"]
FILE, VAULT = SecretsSource.FILE, SecretsSource.VAULT


class Objects:
    """Stands for a cluster that holds some objects."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self._bodies = {(body["kind"], body["metadata"]["name"]): body for body in bodies}

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str
    ) -> dict[str, Any] | None:
        result = self._bodies.get((kind, name))
        assert result is None or result["apiVersion"] == api_version
        assert namespace == DEV.namespace
        return result


def _of_a_file() -> Objects:
    created = {spec.path: spec.first_values() for spec in catalog.ALL}
    return Objects(*kubernetes.manifests(created))


def _of_vault() -> Objects:
    rendered = engine.render(values.load(DEV), release=DEV.release, namespace=DEV.namespace)
    filled = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": catalog.POSTGRES.kubernetes,
            "labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"},
        },
    }
    return Objects(filled, *(dict(item.body) for item in rendered))


@pytest.mark.parametrize("wanted", SecretsSource)
async def test_a_new_release_takes_either(wanted: SecretsSource) -> None:
    await refuse_change(Objects(), DEV, wanted)  # type: ignore[arg-type]


async def test_a_release_retains_its_source() -> None:
    await refuse_change(_of_a_file(), DEV, FILE)  # type: ignore[arg-type]
    await refuse_change(_of_vault(), DEV, VAULT)  # type: ignore[arg-type]


async def test_the_other_source_is_refused_with_the_command_to_change_it() -> None:
    with pytest.raises(UsageError, match="from a file") as to_vault:
        await refuse_change(_of_a_file(), DEV, VAULT)  # type: ignore[arg-type]
    assert "vrooli uninstall --environment dev --data" in to_vault.value.advice
    with pytest.raises(UsageError, match="from Vault") as to_file:
        await refuse_change(_of_vault(), DEV, FILE)  # type: ignore[arg-type]
    assert "vrooli uninstall --environment dev`" in to_file.value.advice
