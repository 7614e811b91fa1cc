"""Facts of a release's objects do not depend on the names that its values give them."""

from __future__ import annotations

import pytest

from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.graph.manifests.facts import build_facts

DEV = ENVIRONMENTS["dev"]
SHORT = {
    "dockerhub-pull-secret",
    "postgres",
    "redis",
    "shared-config-all",
    "shared-secrets-server-jobs",
}


@pytest.mark.parametrize("changes", [{}, {"fullnameOverride": "mine"}, {"nameOverride": "other"}])
def test_secrets_of_vault_have_the_same_short_names(changes: dict[str, str]) -> None:
    merged = values.merge(values.load(DEV), changes)
    manifests = engine.render(merged, release=DEV.release, namespace=DEV.namespace)
    assert {item.short for item in build_facts(manifests).vault_secrets} == SHORT
