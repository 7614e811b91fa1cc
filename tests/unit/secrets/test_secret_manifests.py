"""The Kubernetes Secrets that are made without Vault: what VSO would have made."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from vrooli.secrets import catalog, kubernetes
from vrooli.secrets.names import Names

VALUES = {spec.path: {key.name: f"of {key.name}" for key in spec.keys} for spec in catalog.ALL}


@pytest.fixture
def made() -> dict[str, dict[str, Any]]:
    """The Secrets by name."""
    values = {**VALUES, catalog.POSTGRES.path: {**VALUES[catalog.POSTGRES.path], "DB_USER": "me"}}
    return {item["metadata"]["name"]: item for item in kubernetes.manifests(values, Names())}


def data(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_secrets_have_the_names_of_the_seed(made: dict[str, dict[str, Any]]) -> None:
    assert set(made) == {
        "vrooli-config-shared-all",
        "vrooli-secrets-shared-server-jobs",
        "vrooli-postgres-creds",
        "vrooli-redis-creds",
        "vrooli-dockerhub-pull-secret",
        "vrooli-pg-pguser-me",
    }


def test_redis_operator_finds_its_key(made: dict[str, dict[str, Any]]) -> None:
    found = data(made["vrooli-redis-creds"])
    assert found == {"REDIS_PASSWORD": "of REDIS_PASSWORD", "password": "of REDIS_PASSWORD"}


def test_pgo_gets_the_password_of_the_database_and_nothing_else(
    made: dict[str, dict[str, Any]],
) -> None:
    secret = made["vrooli-pg-pguser-me"]
    assert data(secret) == {"password": "of DB_PASSWORD"}
    labels = secret["metadata"]["labels"]
    assert labels["postgres-operator.crunchydata.com/cluster"] == "vrooli-pg"
    assert labels["postgres-operator.crunchydata.com/pguser"] == "me"


def test_pull_secret_is_a_docker_configuration(made: dict[str, dict[str, Any]]) -> None:
    secret = made["vrooli-dockerhub-pull-secret"]
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    login = json.loads(data(secret)[".dockerconfigjson"])["auths"]["https://index.docker.io/v1/"]
    assert base64.b64decode(login["auth"]).decode() == "of username:of password"


def test_ui_gets_public_configuration_only(made: dict[str, dict[str, Any]]) -> None:
    assert all(key.startswith("VITE_") for key in data(made["vrooli-config-shared-all"]))


def test_secrets_have_the_names_of_the_values() -> None:
    values = {
        "pgoPostgresql": {"clusterName": "posts"},
        "vso": {"secrets": {"postgres": {"k8sSecretName": "posts-login"}}},
    }
    made = {
        item["metadata"]["name"]: item for item in kubernetes.manifests(VALUES, Names.of(values))
    }
    assert {"posts-login", "vrooli-redis-creds", "posts-pguser-of DB_USER"} < set(made)
    labels = made["posts-pguser-of DB_USER"]["metadata"]["labels"]
    assert labels["postgres-operator.crunchydata.com/cluster"] == "posts"
