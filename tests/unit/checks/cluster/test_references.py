"""The Secrets and ConfigMaps of others that the values name are checked before a deploy."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import names, rendered, site
from support.fakes.cluster import FakeCluster
from vrooli.checks import runner
from vrooli.checks.cluster import references
from vrooli.checks.interface import State
from vrooli.kube.objects import Ref
from vrooli.secrets import catalog

NO_VAULT: dict[str, Any] = {"vso": {"enabled": False}}
SERVER = "Deployment/vrooli-dev-server"


def of_server(**pod: Any) -> dict[str, Any]:
    """Values with settings of the server's pods."""
    return {"services": {"server": {"pod": pod}}}


def key_of(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    """The source of a variable."""
    return {kind: {"name": name, "key": key, **more}}


def secret(name: str, *keys: str, kind: str = "Secret") -> dict[str, Any]:
    """An object with these keys."""
    return {"kind": kind, "metadata": {"name": name}, "data": dict.fromkeys(keys, "aGlkZGVu")}


async def outcome(cluster: FakeCluster, **changes: Any) -> Any:
    """The outcome of the check for development with changed values."""
    (result,) = await runner.run([references.CHECK], site(rendered(**changes), cluster))
    return result


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_default_values_name_nothing_of_others(environment: str) -> None:
    assert references.needs(site(rendered(environment))) == {}
    assert "the release makes every" in references.skip_reason(site(rendered(environment)))


def test_without_rotation_the_release_and_its_operators_make_all_of_it() -> None:
    assert references.needs(site(rendered(rotation={"enabled": False}))) == {}


@pytest.mark.parametrize(
    ("pod", "ref", "key"),
    [
        (
            {"variables": {"TOKEN": key_of("secretKeyRef", "mail", "token")}},
            Ref("Secret", "mail"),
            "token",
        ),
        (
            {"variables": {"HOST": key_of("configMapKeyRef", "mail", "host")}},
            Ref("ConfigMap", "mail"),
            "host",
        ),
        ({"envFrom": [{"secretRef": {"name": "mail"}}]}, Ref("Secret", "mail"), ""),
        ({"envFrom": [{"configMapRef": {"name": "mail"}}]}, Ref("ConfigMap", "mail"), ""),
        ({"volumes": {"/etc/mail": {"secret": {"secretName": "mail"}}}}, Ref("Secret", "mail"), ""),
        ({"volumes": {"/etc/mail": {"configMap": {"name": "mail"}}}}, Ref("ConfigMap", "mail"), ""),
    ],
)
def test_each_way_to_name_an_object_is_read(pod: dict[str, Any], ref: Ref, key: str) -> None:
    assert references.needs(site(rendered(**of_server(**pod)))) == {ref: {key: {SERVER}}}


def test_databases_and_logins_to_vault_name_secrets_too() -> None:
    bucket = {
        "enabled": True,
        "bucket": "backups",
        "endpoint": "s3.example.com",
        "region": "one",
        "secretName": "bucket-keys",
    }
    login = {"roleId": "role", "mount": "approle", "secretName": "approle"}
    changes: dict[str, Any] = {
        "pgoPostgresql": {"backup": {"s3": bucket}},
        "vso": {"auth": {"appRole": login}},
    }
    needed = references.needs(site(rendered(**changes)))
    assert set(needed[Ref("Secret", "bucket-keys")]) == {""}
    assert set(needed[Ref("Secret", "approle")]) == {"id"}


def test_without_vault_the_secrets_of_the_services_and_of_redis_must_exist() -> None:
    needed = references.needs(site(rendered(**NO_VAULT)))
    assert {ref.name for ref in needed} == {
        "vrooli-config-shared-all",
        "vrooli-secrets-shared-server-jobs",
        "vrooli-postgres-creds",
        "vrooli-redis-creds",
    }
    assert needed[Ref("Secret", "vrooli-redis-creds")]["password"] == {"RedisFailover/vrooli-rf"}


def test_secrets_that_develop_creates_from_a_file_need_not_exist() -> None:
    created = frozenset(spec.kubernetes for spec in catalog.ALL)
    assert references.needs(site(rendered(**NO_VAULT), created_secrets=created)) == {}


def test_optional_references_need_not_exist() -> None:
    variables = {"TOKEN": key_of("secretKeyRef", "mail", "token", optional=True)}
    assert references.needs(site(rendered(**of_server(variables=variables)))) == {}


def test_secrets_of_the_operators_need_not_exist() -> None:
    variables = {"URI": key_of("secretKeyRef", "vrooli-pg-pguser-vrooli", "uri")}
    sources = [{"configMapRef": {"name": "kube-root-ca.crt"}}]
    changes = of_server(variables=variables, envFrom=sources)
    assert references.needs(site(rendered(**changes))) == {}


async def test_a_missing_object_is_named_with_its_keys_readers_and_remedy() -> None:
    variables = {
        "TOKEN": key_of("secretKeyRef", "mail", "token"),
        "USER": key_of("secretKeyRef", "mail", "user"),
    }
    services = {name: {"pod": {"variables": variables}} for name in ("server", "jobs")}
    result = await outcome(FakeCluster(), services=services)
    (finding,) = result.findings
    assert result.state is State.FAILED
    assert finding.resource == "Secret/mail"
    assert finding.message == (
        "it does not exist in namespace dev, but Deployment/vrooli-dev-jobs, "
        "Deployment/vrooli-dev-server read it."
    )
    assert finding.remediation == "Create it with token, user, or correct its name in the values."
    assert finding.command == (
        "kubectl create secret generic mail -n dev --from-file=token --from-file=user"
    )


async def test_a_missing_key_is_named_and_no_value_is_shown() -> None:
    variables = {"TOKEN": key_of("secretKeyRef", "mail", "token")}
    result = await outcome(FakeCluster(secret("mail", "user")), **of_server(variables=variables))
    (finding,) = result.findings
    assert finding.message == f"in namespace dev, it has no token, but {SERVER} reads it."
    assert finding.command == "kubectl describe secret/mail -n dev"
    assert "hidden" not in str(result)
    assert "aGlkZGVu" not in str(result)


async def test_a_missing_key_of_the_release_s_own_config_map_is_named() -> None:
    own = next(item.name for item in rendered() if item.kind == "ConfigMap" and not item.is_hook)
    variables = {"HOST": key_of("configMapKeyRef", own, "nobody")}
    cluster = FakeCluster()
    result = await outcome(cluster, **of_server(variables=variables))
    assert names(result) == [f"ConfigMap/{own}"]
    assert "it has no nobody" in result.findings[0].message
    assert cluster.requests == []


async def test_objects_with_all_keys_pass() -> None:
    pod = {
        "variables": {"TOKEN": key_of("secretKeyRef", "mail", "token")},
        "envFrom": [{"configMapRef": {"name": "more"}}],
    }
    cluster = FakeCluster(secret("mail", "token"), secret("more", "x", kind="ConfigMap"))
    result = await outcome(cluster, **of_server(**pod))
    assert (result.state, result.summary) == (State.OK, "2 objects of others read")


async def test_who_may_not_read_secrets_learns_that_they_were_not_checked() -> None:
    pod = {
        "variables": {"TOKEN": key_of("secretKeyRef", "mail", "token")},
        "envFrom": [{"configMapRef": {"name": "more"}}],
    }
    cluster = FakeCluster(secret("more", kind="ConfigMap"))
    cluster.failures.forbid("get", "Secret", name="mail")
    result = await outcome(cluster, **of_server(**pod))
    assert (result.state, result.findings) == (State.OK, ())
    assert result.unavailable == ("The API server refused to read Secret mail: forbidden",)
