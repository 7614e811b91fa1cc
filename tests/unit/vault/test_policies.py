"""The policies of an environment allow the paths of that environment, and no others."""

from __future__ import annotations

import pytest

from vrooli import project
from vrooli.errors import UsageError
from vrooli.vault import policies

FILES = policies.read(project.policies_dir())
STAGING = next(scope for scope in policies.SCOPES if scope.environment == "staging")


@pytest.mark.parametrize("scope", policies.SCOPES, ids=lambda scope: scope.environment or "shared")
def test_each_rule_is_for_the_folder_of_its_environment(scope: policies.Scope) -> None:
    folder = f"secret/data/vrooli/{scope.environment}".rstrip("/")
    for name, rules in scope.rules(FILES).items():
        paths = [line for line in rules.splitlines() if line.startswith("path")]
        assert paths, name
        assert all(line.startswith(f'path "{folder}/') for line in paths), name


@pytest.mark.parametrize(
    "rules",
    [
        "",
        '# path "secret/data/vrooli/config"',
        'path "secret/*" { capabilities = ["read"] }',
        'path "secret/data/other/config" {}\npath "secret/data/vrooli/config" {}',
        'path "secret/metadata/vrooli/*" {}',
        'path "secret/data/vrooli/*" {}',
        'path "secret/data/vrooli/s*" {}',
        'path "secret/data/vrooli/+/config" {}',
        'path "secret/data/vrooli/config" {} path "secret/*" {}',
        'path "secret/data/vrooli/config" {}\n/* x */ path "secret/*" {}',
    ],
)
@pytest.mark.parametrize("scope", [STAGING, policies.SHARED], ids=["staging", "shared"])
def test_a_rule_that_cannot_be_limited_to_an_environment_is_refused(
    scope: policies.Scope, rules: str
) -> None:
    with pytest.raises(UsageError, match=policies.NAMES[0]):
        scope.rules({policies.NAMES[0]: rules})


def test_only_paths_of_rules_are_replaced() -> None:
    text = '# reads /data/vrooli/config\npath "kv/data/vrooli/config" {\n}\n'
    (rules,) = STAGING.rules({policies.NAMES[0]: text}).values()
    assert rules == '# reads /data/vrooli/config\npath "kv/data/vrooli/staging/config" {\n}\n'
