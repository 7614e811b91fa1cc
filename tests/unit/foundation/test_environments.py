"""The names that a person chooses from."""

from __future__ import annotations

import pytest

from vrooli import environments
from vrooli.errors import UsageError


@pytest.mark.parametrize(
    ("said", "release", "namespace"),
    [
        ("dev", "vrooli-dev", "dev"),
        ("development", "vrooli-dev", "dev"),
        ("staging", "vrooli-staging", "staging"),
        ("prod", "vrooli-prod", "production"),
        ("production", "vrooli-prod", "production"),
    ],
)
def test_an_environment_names_its_release_and_namespace(
    said: str, release: str, namespace: str
) -> None:
    found = environments.environment(said)
    assert (found.release, found.namespace) == (release, namespace)


def test_an_unknown_environment_is_wrong_use_and_the_known_ones_are_told() -> None:
    with pytest.raises(UsageError, match="'moon'") as refused:
        environments.environment("moon")
    assert refused.value.advice == "Choose one of: dev, staging, prod."


def test_an_unknown_target_is_wrong_use_and_the_known_ones_are_told() -> None:
    with pytest.raises(UsageError, match="'docker'") as refused:
        environments.target("docker")
    assert refused.value.advice == "Choose one of: k8s-cluster."
