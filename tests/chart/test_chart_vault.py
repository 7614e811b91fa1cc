"""How the chart syncs secrets from Vault to Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import render
from support.fakes.check_site import rendered
from vrooli.chart.manifest import Manifest
from vrooli.errors import UsageError
from vrooli.vault import policies

NAMES = (
    "shared-config-all",
    "shared-secrets-server-jobs",
    "postgres",
    "redis",
    "dockerhub-pull-secret",
)


UNROTATED = {"rotation": {"enabled": False}}


def targets(manifest: Manifest) -> list[str]:
    """The Deployments that VSO restarts if the secret changes."""
    return [target["name"] for target in manifest.body["spec"].get("rolloutRestartTargets", [])]


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_contains_the_raw_vault_response(name: str) -> None:
    spec = render()[f"VaultStaticSecret/demo-{name}"].body["spec"]
    assert spec["destination"]["transformation"]["excludeRaw"] is True
    assert spec["type"] == "kv-v2"
    assert spec["vaultAuthRef"] == "demo-vault"


def test_a_path_is_split_into_mount_and_path() -> None:
    path = {"vaultPath": "kv/team/data/a/data/b"}
    spec = render({"vso": {"secrets": {"redis": path}}})["VaultStaticSecret/demo-redis"].body[
        "spec"
    ]
    assert (spec["mount"], spec["path"]) == ("kv/team", "a/data/b")
    spec = render()["VaultStaticSecret/demo-redis"].body["spec"]
    assert (spec["mount"], spec["path"]) == ("secret", "vrooli/secrets/redis")


@pytest.mark.parametrize("values", [{}, UNROTATED])
def test_a_vault_namespace_is_set_for_the_login_and_each_secret(values: dict[str, Any]) -> None:
    objects = render({**values, "vso": {"vaultNamespace": "admin/team"}}).values()
    synced = [item for item in objects if item.kind in ("VaultAuth", "VaultStaticSecret")]
    assert len(synced) == 6 + (values == UNROTATED)
    assert {item.body["spec"]["namespace"] for item in synced} == {"admin/team"}
    plain = render(values).values()
    assert not [
        item for item in plain if item.kind.startswith("Vault") and "namespace" in item.body["spec"]
    ]


def test_the_redis_operator_gets_the_key_it_reads() -> None:
    destination = render()["VaultStaticSecret/demo-redis"].body["spec"]["destination"]
    template = destination["transformation"]["templates"]["password"]["text"]
    assert template == '{{ get .Secrets "REDIS_PASSWORD" }}'


def test_without_rotation_only_the_password_is_synced_to_pgo() -> None:
    objects = render(UNROTATED)
    secret = objects["Secret/vrooli-pg-pguser-vrooli"].body
    assert (
        secret["metadata"]["labels"].items()
        >= {
            "postgres-operator.crunchydata.com/cluster": "vrooli-pg",
            "postgres-operator.crunchydata.com/pguser": "vrooli",
        }.items()
    )
    spec = objects["VaultStaticSecret/demo-postgres-user"].body["spec"]
    assert spec["destination"]["create"] is False
    assert spec["destination"]["name"] == "vrooli-pg-pguser-vrooli"
    assert spec["destination"]["transformation"]["excludes"] == [".*"]
    assert spec["destination"]["transformation"]["excludeRaw"] is True
    assert list(spec["destination"]["transformation"]["templates"]) == ["password"]


def test_without_rotation_a_changed_secret_restarts_its_readers() -> None:
    objects = render(UNROTATED)
    both = ["demo-server", "demo-jobs"]
    assert targets(objects["VaultStaticSecret/demo-shared-config-all"]) == ["demo-ui", *both]
    assert targets(objects["VaultStaticSecret/demo-postgres"]) == both
    assert targets(objects["VaultStaticSecret/demo-redis"]) == both
    # PGO and VSO both write this one, again and again.
    assert targets(objects["VaultStaticSecret/demo-postgres-user"]) == []
    assert targets(objects["VaultStaticSecret/demo-dockerhub-pull-secret"]) == []


def test_without_vso_pods_use_the_same_secrets() -> None:
    with_vso, without = render(), render({"vso": {"enabled": False}})
    assert with_vso["Deployment/demo-server"].body == without["Deployment/demo-server"].body
    kinds = {manifest.kind for manifest in without.values()}
    assert not kinds & {"VaultStaticSecret", "VaultAuth", "VaultConnection", "Secret"}


def test_a_disabled_secret_is_neither_synced_nor_read() -> None:
    off = {"vso": {"secrets": {"sharedSecretsServerJobs": {"enabled": False}}}}
    objects = render(off)
    assert "VaultStaticSecret/demo-shared-secrets-server-jobs" not in objects
    assert "vrooli-secrets-shared-server-jobs" not in str(objects["Deployment/demo-server"].body)


def test_the_operator_logs_in_with_an_account_of_its_own_and_an_audience() -> None:
    objects = render()
    account = objects["ServiceAccount/vrooli-vso"]
    assert account.body["automountServiceAccountToken"] is False
    login = objects["VaultAuth/demo-vault"].body["spec"]["kubernetes"]
    assert (login["serviceAccount"], login["audiences"]) == ("vrooli-vso", ["vault"])
    pods = [item for item in objects.values() if item.kind in ("Deployment", "Pod", "Job")]
    assert "vrooli-vso" not in str([item.body for item in pods])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"serviceAccount": "default", "audiences": []}, "default"),
        ({"serviceAccount": "own", "createServiceAccount": False}, "own"),
        ({"enabled": False}, "vrooli-vso"),
    ],
)
def test_an_account_that_exists_is_not_created(changes: dict[str, object], name: str) -> None:
    objects = render({"vso": changes})
    assert f"ServiceAccount/{name}" not in objects
    if changes.get("audiences") == []:
        assert "audiences" not in objects["VaultAuth/demo-vault"].body["spec"]["kubernetes"]


HTTP = "http://vault.example.com:8200"


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_an_environment_uses_https_with_a_ca_and_its_own_paths(name: str) -> None:
    objects = rendered(name)
    (connection,) = (item.body["spec"] for item in objects if item.kind == "VaultConnection")
    assert connection["address"].startswith("https://")
    assert connection["caCertSecretRef"]
    assert connection["skipTLSVerify"] is False
    (login,) = (item.body["spec"] for item in objects if item.kind == "VaultAuth")
    (scope,) = (item for item in policies.SCOPES if item.environment == name)
    assert login["kubernetes"]["role"] == scope.role
    paths = {item.body["spec"]["path"] for item in objects if item.kind == "VaultStaticSecret"}
    assert paths == set(scope.paths)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_an_environment_refuses_http_unless_it_is_allowed(name: str) -> None:
    with pytest.raises(UsageError, match=r"vso\.allowHttp"):
        rendered(name, vso={"vaultAddr": HTTP})
    objects = rendered(name, vso={"vaultAddr": HTTP, "allowHttp": True})
    (connection,) = (item.body["spec"] for item in objects if item.kind == "VaultConnection")
    assert connection["address"] == HTTP


def test_development_and_releases_without_vault_may_name_http() -> None:
    assert rendered("dev", vso={"vaultAddr": HTTP})
    assert rendered("prod", vso={"vaultAddr": HTTP, "enabled": False})


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_an_environment_verifies_the_certificate_of_vault(name: str) -> None:
    for more in ({}, {"vaultAddr": HTTP, "allowHttp": True}, {"caCertSecretName": ""}):
        with pytest.raises(UsageError, match=r"vso\.skipTLSVerify: .*vso\.caCertSecretName"):
            rendered(name, vso={"skipTLSVerify": True, **more})


def test_development_and_releases_without_vault_may_skip_the_verification() -> None:
    assert rendered("dev", vso={"skipTLSVerify": True})
    assert rendered("prod", vso={"skipTLSVerify": True, "enabled": False})
