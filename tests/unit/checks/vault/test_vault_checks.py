"""Vault's answers, and what they lack. No value of any secret is among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.fakes.check_site import names, rendered, site
from vrooli import project
from vrooli.chart import golden
from vrooli.checks.interface import State, UnavailableError
from vrooli.checks.network import connectivity
from vrooli.checks.runner import judged
from vrooli.checks.vault import access
from vrooli.checks.vault import keys as vault_keys
from vrooli.checks.vault import policies as vault_policies
from vrooli.checks.vault import state as vault_state
from vrooli.checks.vault.request import VaultRequest, vault_request
from vrooli.checks.vault.state import SecretKeys, VaultSnapshot
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.secrets import catalog, usable
from vrooli.vault import policies

FILES = policies.read(project.policies_dir())
POSTGRES = ("secret", "vrooli/secrets/postgres")


@pytest.fixture
def want() -> VaultRequest:
    """What development wants of Vault."""
    result = vault_request(site(rendered()))
    assert result is not None
    return result


@pytest.fixture
def good(want: VaultRequest) -> VaultSnapshot:
    """A Vault as setup leaves it."""
    keys = {spec.path: frozenset(key.name for key in spec.keys) for spec in catalog.ALL}
    optional = frozenset({"OPENAI_API_KEY", "username", "password"})
    return VaultSnapshot(
        secrets={
            place: SecretKeys(keys=keys[place[1]], empty=keys[place[1]] & optional)
            for place in want.secrets
        },
        engines={"secret": "kv 2"},
        policies=frozenset({"default", *policies.NAMES}),
        may={
            **dict.fromkeys(vault_state.allowed_paths(want), frozenset({"read"})),
            **dict.fromkeys(vault_state.forbidden_paths(want), frozenset({"deny"})),
        },
        rules=FILES,
    )


def test_what_a_release_wants_of_vault_is_read_from_its_objects(want: VaultRequest) -> None:
    assert want.address == "http://vault.vault.svc.cluster.local:8200"
    assert (want.role, want.mount, want.account, want.audiences) == (
        "vrooli-vso-sync-role",
        "kubernetes",
        "vrooli-vso",
        ("vault",),
    )
    assert {f"{mount}/{path}" for mount, path in want.secrets} == {
        f"secret/{spec.path}" for spec in catalog.ALL
    }
    assert want.secrets[POSTGRES] == {"DB_PASSWORD"}
    assert want.secrets[("secret", "vrooli/secrets/redis")] == {"REDIS_PASSWORD"}
    assert want.secrets[("secret", catalog.DOCKERHUB.path)] == {"username", "password"}


def test_the_namespace_of_the_login_is_the_namespace_of_the_requests() -> None:
    request = vault_request(site(rendered(vso={"vaultNamespace": "admin"})))
    assert request is not None
    assert request.namespace == "admin"
    request = vault_request(site(rendered()))
    assert request is not None
    assert request.namespace == ""


@pytest.mark.parametrize(
    ("method", "login"),
    [
        ("appRole", {"mount": "approle", "roleId": "id", "secretName": "vault-role"}),
        ("jwt", {"mount": "jwt", "role": "vrooli", "secretName": ""}),
    ],
)
async def test_a_login_that_cannot_be_repeated_leaves_the_checks_without_an_answer(
    method: str, login: dict[str, str]
) -> None:
    here = site(rendered(vso={"auth": {method: login}}))
    with pytest.raises(UnavailableError, match=f"with {method}"):
        await vault_state.collect(here)


def test_a_release_with_its_secrets_from_a_file_wants_nothing_of_vault() -> None:
    here = site(rendered(vso={"enabled": False}))
    for check in (access.CHECK, vault_keys.CHECK, vault_policies.CHECK, connectivity.VAULT):
        assert check.skip_reason(here) == "these values use no secrets from Vault"


def test_a_vault_as_setup_leaves_it_lacks_nothing(want: VaultRequest, good: VaultSnapshot) -> None:
    observed = [
        judged(access.CHECK, access.judge(want, good)),
        judged(vault_keys.CHECK, vault_keys.judge(want, good)),
        judged(vault_policies.CHECK, vault_policies.judge(want, good, FILES)),
    ]
    assert [(one.state, one.findings) for one in observed] == [(State.OK, ())] * 3
    assert "reads 5 of 5 secrets" in observed[0].summary


def test_a_vault_that_gives_nothing_is_told_with_its_reason(want: VaultRequest) -> None:
    sealed = VaultSnapshot(failure="Vault at http://x is sealed.", advice="Unseal it.")
    (finding,) = access.judge(want, sealed).findings
    assert (finding.resource, finding.remediation) == (want.address, "Unseal it.")
    assert judged(vault_keys.CHECK, vault_keys.judge(want, sealed)).state is State.UNKNOWN
    policy = vault_policies.judge(want, sealed, FILES)
    assert judged(vault_policies.CHECK, policy).state is State.UNKNOWN


def test_paths_without_a_policy_or_a_secret_are_named(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    redis = ("secret", "vrooli/secrets/redis")
    secrets = {**good.secrets, POSTGRES: SecretKeys(denied=True), redis: SecretKeys()}
    observed = access.judge(want, replace(good, secrets=secrets))
    message = {finding.resource: finding.message for finding in observed.findings}
    assert message == {
        "secret/vrooli/secrets/postgres": "no policy of the role allows reading it.",
        "secret/vrooli/secrets/redis": "there is no secret at this path.",
    }


def test_an_engine_of_the_first_version_is_found(want: VaultRequest, good: VaultSnapshot) -> None:
    observed = access.judge(want, replace(good, engines={"secret": "kv 1"}))
    assert names(observed) == ["secret/"]


def test_only_our_own_vault_is_offered_to_be_mended(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    other = replace(want, address="http://vault.security.svc:8200")
    broken = replace(good, secrets={POSTGRES: SecretKeys()}, policies=frozenset())
    for request, command in ((want, INSTALL_COMMAND), (other, "")):
        observed = [
            *access.judge(request, broken).findings,
            *vault_policies.judge(request, broken, FILES).findings,
        ]
        assert {finding.command for finding in observed} == {command}


def test_a_key_that_is_missing_or_empty_is_named_without_any_value(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    missing = SecretKeys(keys=frozenset({"DB_NAME", "DB_USER"}), empty=frozenset({"DB_USER"}))
    observed = vault_keys.judge(want, replace(good, secrets={**good.secrets, POSTGRES: missing}))
    assert [finding.message for finding in observed.findings] == [
        "it lacks DB_PASSWORD.",
        "these are empty: DB_USER.",
    ]
    assert observed.findings[0].command.endswith("vrooli/secrets/postgres DB_PASSWORD=-")


def test_optional_keys_may_be_empty(want: VaultRequest, good: VaultSnapshot) -> None:
    assert vault_keys.judge(want, good).findings == ()


def test_a_policy_that_allows_more_than_reading_is_found(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    path = "secret/data/vrooli/secrets/postgres"
    may = {**good.may, path: frozenset({"read", "update"})}
    observed = vault_policies.judge(want, replace(good, may=may), FILES)
    assert names(observed) == [path]
    assert "read, update" in observed.findings[0].message


@pytest.mark.parametrize(
    "path",
    [
        "secret/data/vrooli/secrets/other",
        "secret/metadata/vrooli/secrets/postgres",
        "secret/data/vrooli/secrets/postgres/below",
        "secret/data/other",
        "sys/mounts",
    ],
)
def test_a_path_that_the_role_should_not_reach_is_found(
    want: VaultRequest, good: VaultSnapshot, path: str
) -> None:
    assert path in good.may
    may = {**good.may, path: frozenset({"read"})}
    assert names(vault_policies.judge(want, replace(good, may=may), FILES)) == [path]


def test_policies_that_the_role_lacks_or_has_beyond_the_five_are_found(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    held = good.policies - {policies.NAMES[0]} | {"root-like"}
    observed = vault_policies.judge(want, replace(good, policies=held), FILES)
    assert [finding.message for finding in observed.findings] == [
        f"it lacks the policies {policies.NAMES[0]}.",
        "it has unexpected policies: root-like.",
    ]


def test_a_policy_whose_text_says_something_else_is_found(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    wide = 'path "secret/*" {\n  capabilities = ["read", "list"]\n}\n'
    rules = {**FILES, policies.NAMES[2]: wide, policies.NAMES[3]: None}
    observed = vault_policies.judge(want, replace(good, rules=rules), FILES)
    assert names(observed) == [f"policy {policies.NAMES[2]}", f"policy {policies.NAMES[3]}"]
    assert "it allows secret/* (list, read)" in observed.findings[0].message


def test_a_policy_is_the_same_however_it_is_written() -> None:
    one = '# why\npath "a/b" { capabilities = ["read"] }'
    other = 'path "a/b" {\n  capabilities = [\n    "read"\n  ]\n}\n'
    assert vault_policies.parse(one) == vault_policies.parse(other) == {"a/b": frozenset({"read"})}


@pytest.mark.parametrize(
    "text",
    ['name = "x"', 'path "a" { capabilities = ["read"] required_parameters = ["x"] }', "x"],
)
def test_a_policy_that_says_more_than_paths_is_not_understood_as_less(text: str) -> None:
    assert vault_policies.parse(text) is None


def test_who_may_not_read_the_policies_text_is_told_so(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    outcome = judged(
        vault_policies.CHECK, vault_policies.judge(want, replace(good, rules=None), FILES)
    )
    assert outcome.state is State.OK
    assert "not checked: the text of the policies" in outcome.summary


def test_the_way_to_vault_is_read_from_its_operators_connections() -> None:
    def connection(*, valid: bool | None) -> dict[str, object]:
        status = {} if valid is None else {"valid": valid}
        metadata = {"name": "c", "namespace": "dev"}
        return {"metadata": metadata, "spec": {"address": "http://v:1"}, "status": status}

    assert (
        "http://v:1 is reachable"
        in connectivity.judge_connections("http://v:1", [connection(valid=True)]).summary
    )
    assert names(connectivity.judge_connections("http://v:1", [connection(valid=False)])) == [
        "VaultConnection/c in dev"
    ]
    for nothing in ([], [connection(valid=None)]):
        assert connectivity.judge_connections("http://v:1", nothing).unavailable
    assert connectivity.judge_connections("http://other:1", [connection(valid=True)]).unavailable


def test_a_value_that_no_consumer_can_use_is_reported_by_its_key_only(
    want: VaultRequest, good: VaultSnapshot
) -> None:
    place = ("secret", catalog.REDIS.path)
    reason = usable.problem("REDIS_PASSWORD", "hunter 2")
    unusable = replace(good.secrets[place], problems={"REDIS_PASSWORD": reason, "OTHER": "unused"})
    (finding,) = vault_keys.judge(
        want, replace(good, secrets={**good.secrets, place: unusable})
    ).findings
    assert finding.message == f"REDIS_PASSWORD: {reason}."
    assert "hunter" not in finding.message


def test_rules_of_the_operators_do_not_apply_to_external_databases() -> None:
    assert vault_state.exempt_keys(site(rendered())) == frozenset()
    outside = rendered(
        pgoPostgresql={"enabled": False},
        externalPostgresql={"host": "db.example.com"},
        spotahomeRedis={"enabled": False},
        externalRedis={"host": "redis.example.com"},
    )
    assert vault_state.exempt_keys(site(outside)) == {"DB_USER", "DB_NAME", "REDIS_PASSWORD"}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_paths_of_another_environment_are_forbidden(environment: str) -> None:
    request = vault_request(site(rendered(environment)))
    assert request is not None
    scope = policies.scope_of(request.role)
    assert scope.environment == environment
    forbidden = set(vault_state.forbidden_paths(request))
    others = {path for path in policies.PATHS if path not in scope.paths}
    assert {f"secret/data/{path}" for path in others} <= forbidden
    assert not forbidden & set(vault_state.allowed_paths(request))


def test_a_role_that_reads_production_from_staging_is_reported() -> None:
    request = vault_request(site(rendered("staging")))
    assert request is not None
    rules = policies.scope_of(request.role).rules(FILES)
    path = "secret/data/vrooli/prod/secrets/postgres"
    snapshot = VaultSnapshot(
        policies=frozenset(rules), may={path: frozenset({"read"})}, rules=dict(rules)
    )
    result = vault_policies.judge(request, snapshot, rules)
    assert [(item.resource, item.message) for item in result.findings] == [
        (path, "the role may read it; it should have no access.")
    ]


def test_the_required_keys_of_an_environment_are_those_of_its_paths() -> None:
    request = vault_request(site(rendered("prod")))
    assert request is not None
    empty = {place: SecretKeys(keys=frozenset()) for place in request.secrets}
    result = vault_keys.judge(request, VaultSnapshot(secrets=empty))
    lacking = {item.resource: item.message for item in result.findings}
    assert "DB_NAME" in lacking["secret/vrooli/prod/secrets/postgres"]


def test_keys_of_vrooli_that_are_missing_or_empty_are_named_with_their_form(
    good: VaultSnapshot,
) -> None:
    request = vault_request(site(rendered(**golden.settings(golden.VROOLI))))
    assert request is not None
    place = ("secret", catalog.SERVER_JOBS.path)
    present = good.secrets[place].keys
    assert present is not None
    keys = SecretKeys(keys=present | {"JWT_PRIV", "JWT_PUB"}, empty=frozenset({"JWT_PUB"}))
    judged_keys = vault_keys.judge(request, replace(good, secrets={**good.secrets, place: keys}))
    missing, empty = judged_keys.findings
    assert missing.message == "it lacks VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY."
    assert "VAPID_PRIVATE_KEY and VAPID_PUBLIC_KEY are a VAPID key pair" in missing.remediation
    assert empty.message == "these are empty: JWT_PUB."
    assert "docs/vrooli.md shows how to generate them" in empty.remediation
