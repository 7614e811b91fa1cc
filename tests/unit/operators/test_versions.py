"""The versions of the operators."""

from __future__ import annotations

import pytest

from vrooli.operators import OPERATORS, PGO, REDIS, VSO, versions
from vrooli.operators.model import Operator


@pytest.mark.parametrize(
    ("operator", "version", "title"),
    [
        (PGO, "5.4", "PGO 5.4-dev"),
        (PGO, "5.8.2", "PGO 5.8.2"),
        (PGO, "5.8.5", "PGO 5.8.5"),
        (PGO, "6.0.3", "PGO 6.0"),
        (REDIS, "1.2.4", "Spotahome Redis operator 1.2.4"),
        (REDIS, "1.3.0", "freshworks-oss Redis operator 3.3.5"),
        (REDIS, "3.3.5", "freshworks-oss Redis operator 3.3.5"),
        (VSO, "0.10.0", "Vault Secrets Operator 0.10"),
        (VSO, "1.4.1", "Vault Secrets Operator 1.x"),
        (VSO, "2.0.0", "Vault Secrets Operator 2.x"),
    ],
)
def test_a_version_belongs_to_its_entry(operator: Operator, version: str, title: str) -> None:
    entry = versions.find(operator.name, version)
    assert entry is not None
    assert entry.title == title


@pytest.mark.parametrize(
    ("operator", "version"),
    [(PGO, "5.8.3"), (PGO, "5.80.2"), (PGO, "7.0"), (REDIS, "1.2"), (VSO, "0.9.0"), (VSO, "10.0")],
)
def test_an_unknown_version_is_used_and_what_is_not_certain_is_named(
    operator: Operator, version: str
) -> None:
    assert versions.find(operator.name, version) is None
    (note,) = versions.notes(operator.name, operator.title, version)
    assert f"{operator.title} {version} is not among the known versions" in note
    assert "readiness" in note
    assert "diagnosis" in note


def test_an_archived_operator_names_its_successor() -> None:
    (note,) = versions.notes(REDIS.name, REDIS.title, "1.2.4")
    assert "archived by its publisher on 2026-06-11" in note
    assert "freshworks-oss" in note
    assert versions.notes(REDIS.name, REDIS.title, "1.3.0") == ()


def test_a_version_that_cannot_be_read_is_reported() -> None:
    (note,) = versions.notes(VSO.name, VSO.title, "")
    assert "an unreadable version" in note


def test_every_distribution_is_a_known_version() -> None:
    installed = [
        (operator.name, distribution.version)
        for operator in OPERATORS
        for distribution in operator.distributions.values()
    ]
    assert [item for item in installed if versions.find(*item) is None] == []


def test_the_images_of_an_entry_are_accepted_by_its_definition() -> None:
    for entry in versions.VERSIONS:
        assert all(major <= entry.newest_postgres for major in entry.postgres)


def test_only_a_proven_upgrade_is_known() -> None:
    assert versions.is_known_upgrade(REDIS.name, "1.2.3", "1.2.4")
    assert versions.is_known_upgrade(REDIS.name, "1.2.4", "1.2.4")
    assert not versions.is_known_upgrade(REDIS.name, "1.2.2", "1.2.4")
    assert not versions.is_known_upgrade(PGO.name, "5.4", "5.8.2")
    assert not versions.is_known_upgrade(VSO.name, "0.10.0", "0.11.0")
