"""The rules redis-crd-missing, postgres-crd-missing and vso-crd-missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import found
from support.diagnosis.healthy_release import PGO, without
from support.diagnosis.rule_cases import assert_reported
from vrooli.diagnosis.rules.operators import crd_missing

RULES = {rule.rule_id: rule for rule in crd_missing.RULES}


@pytest.mark.parametrize(
    ("rule_id", "kind", "definition"),
    [
        ("redis-crd-missing", "RedisFailover", "redisfailovers.databases.spotahome.com"),
        ("postgres-crd-missing", "PostgresCluster", f"postgresclusters.{PGO}"),
        ("vso-crd-missing", "VaultStaticSecret", "vaultstaticsecrets.secrets.hashicorp.com"),
    ],
)
def test_a_symptom_names_its_resource_and_remediation(
    rule_id: str, kind: str, definition: str
) -> None:
    assert_reported(RULES[rule_id], f"CustomResourceDefinition/{definition}", without(kind))


def test_a_kind_that_could_not_be_read_is_not_reported_as_missing() -> None:
    evidence = replace(without("RedisFailover"), hidden={("RedisFailover", "")})
    assert found(RULES["redis-crd-missing"], evidence) == []
