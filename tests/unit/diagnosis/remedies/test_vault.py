"""What is printed for a Vault that isn't ours mends it, and takes nothing from anybody else."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import pytest

from support.diagnosis.evidence import evidence
from vrooli import project
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.findings import Finding
from vrooli.kube.objects import Ref
from vrooli.redaction import Redactor
from vrooli.secrets import catalog as secrets
from vrooli.vault import policies

AUTH = Ref("VaultAuth", "v", "dev")
INSIDE, OUTSIDE = "http://vault.vault.svc:8200", "https://vault.example.com:8200"
ROLE = "auth/kubernetes/role/sync"


def connection(namespace: str, address: str) -> dict[str, Any]:
    metadata = {"name": "v", "namespace": namespace}
    return {"kind": "VaultConnection", "metadata": metadata, "spec": {"address": address}}


def login(
    namespace: str, account: str = "default", audiences: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "kind": "VaultAuth",
        "metadata": {"name": "v", "namespace": namespace},
        "spec": {
            "method": "kubernetes",
            "mount": "kubernetes",
            "vaultConnectionRef": "v",
            "kubernetes": {
                "role": "sync",
                "serviceAccount": account,
                "audiences": list(audiences),
            },
        },
    }


def secret(name: str, path: str) -> dict[str, Any]:
    spec = {"vaultAuthRef": "v", "mount": "secret", "type": "kv-v2", "path": path}
    metadata = {"name": name, "namespace": "dev"}
    return {"kind": "VaultStaticSecret", "metadata": metadata, "spec": spec}


def seen(*answers: Answer, address: str = INSIDE, paths: tuple[str, ...] = ()) -> Evidence:
    """Two releases whose logins ask the same Vault for the same role."""
    found = evidence(
        connection("dev", address),
        connection("production", address),
        login("dev"),
        login("production", "syncer"),
        *(secret(f"s{number}", path) for number, path in enumerate(paths)),
    )
    return replace(found, answers=answers)


def refused(words: str, status: int = 403, **said: Any) -> Answer:
    return Answer("vault-login", AUTH, json.dumps({"status": status, "errors": [words], **said}))


def denied(number: int, **said: Any) -> Answer:
    ref = Ref("VaultStaticSecret", f"s{number}", "dev")
    words = {"status": 403, "errors": ["permission denied"], **said}
    return Answer("vault-read", ref, json.dumps(words))


def named(rule: str, what: Evidence) -> Finding:
    """What is said by a rule, as it is printed."""
    rules = [item for item in catalog.ALL if item.rule_id == rule]
    (cause,) = root_cause.diagnose(what, rules, Redactor()).causes
    return cause.finding


@pytest.mark.parametrize("bare", [False, True])
def test_a_rule_is_added_to_the_policy_that_the_role_has_for_the_path(bare: bool) -> None:
    paths = ("vrooli/secrets/redis", "vrooli/dockerhub/pull-credentials")
    what = seen(denied(0, bare=bare), denied(1, bare=bare), paths=paths)
    finding = named("vso-policy-path-without-data" if bare else "vso-policy-denied", what)
    for name, path in (
        ("vrooli-secrets-redis-read-policy", "secret/data/vrooli/secrets/redis"),
        ("vrooli-secrets-dockerhub-read-policy", "secret/data/vrooli/dockerhub/pull-credentials"),
    ):
        rule = f'path "{path}" {{ capabilities = ["read"] }}'
        # What else the policy allows stays.
        assert (
            f"{{ vault policy read {name}; echo '{rule}'; }} | vault policy write {name} -"
            in finding.command
        )
    assert ROLE in finding.remediation


@pytest.mark.parametrize("bare", [False, True])
def test_of_a_path_of_somebody_elses_the_roles_policies_are_shown(bare: bool) -> None:
    what = seen(denied(0, bare=bare), paths=("team/redis",))
    finding = named("vso-policy-path-without-data" if bare else "vso-policy-denied", what)
    assert finding.command == f"vault read -field=token_policies {ROLE}"
    assert 'path "secret/data/team/redis" { capabilities = ["read"] }' in finding.remediation


@pytest.mark.parametrize(("path", "name"), policies.PATHS.items())
def test_each_of_our_policies_is_for_the_path_that_its_file_allows(path: str, name: str) -> None:
    files = policies.read(project.policies_dir())
    rules = next(s for scope in policies.SCOPES if (s := scope.rules(files).get(name)))
    assert path in {scope.path(spec.path) for scope in policies.SCOPES for spec in secrets.ALL}
    allowed = re.findall(r'path "([^"]+)"', rules)
    assert any(fnmatch(f"secret/data/{path}", pattern) for pattern in allowed)


@pytest.mark.parametrize(
    ("rule", "words", "field", "value", "beside"),
    [
        (
            "vso-namespace-refused",
            "namespace not authorized",
            "bound_service_account_namespaces",
            "dev",
            "production",
        ),
        (
            "vso-account-refused",
            "service account name not authorized",
            "bound_service_account_names",
            "default",
            "syncer",
        ),
    ],
)
def test_what_a_role_takes_now_is_read_before_it_is_written(
    rule: str, words: str, field: str, value: str, beside: str
) -> None:
    finding = named(rule, seen(refused(words)))
    assert finding.command == f"vault read {ROLE}"
    assert f"vault write {ROLE} {field}={value},{beside},..." in finding.remediation
    assert "replaces the whole list" in finding.remediation


def test_a_role_that_is_not_there_is_written_for_all_that_ask_for_it() -> None:
    finding = named("vso-role-missing", seen(refused('invalid role name "sync"', 400)))
    assert finding.command.startswith(f"vault write {ROLE} ")
    assert "bound_service_account_names=default,syncer " in finding.command
    assert "bound_service_account_namespaces=dev,production " in finding.command


@pytest.mark.parametrize(
    ("audiences", "argument"),
    [(("vault",), "audience=vault"), (("a; id", "b"), "audience=a; id"), ((), "")],
)
def test_a_role_is_written_with_the_audience_of_the_login(
    audiences: tuple[str, ...], argument: str
) -> None:
    command = vso.write_role(seen(), vso.Login(login("dev", "vrooli-vso", audiences), 0, ""))
    found = [word for word in shlex.split(command) if word.startswith("audience=")]
    assert found == ([argument] if argument else [])


def test_a_method_that_is_not_there_is_enabled_configured_and_given_its_role() -> None:
    finding = named("vso-auth-mount-missing", seen(refused("permission denied", mounted=False)))
    assert finding.command.split(" && ") == [
        "vault auth enable -path=kubernetes kubernetes",
        "vault write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc",
        named("vso-role-missing", seen(refused('invalid role name "sync"', 400))).command,
    ]
    assert "system:auth-delegator" in finding.remediation


def test_of_a_vault_elsewhere_it_is_said_what_else_the_method_needs() -> None:
    what = seen(refused("no handler for route", 404), address=OUTSIDE)
    finding = named("vso-auth-mount-missing", what)
    assert finding.command == "vault auth enable -path=kubernetes kubernetes"
    for words in ("kubernetes_host", "kubernetes_ca_cert", f"vault write {ROLE}"):
        assert words in finding.remediation
