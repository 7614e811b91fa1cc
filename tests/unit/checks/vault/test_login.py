"""Before the first deploy, the role's settings show whether the operator could log in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from vrooli.checks.vault.login import refusal_reason
from vrooli.checks.vault.request import VaultRequest, vault_request
from vrooli.vault import configuration

ROLE = configuration.role_settings()


def request(**changes: Any) -> VaultRequest:
    """What development needs of Vault."""
    result = vault_request(site(rendered()))
    assert result is not None
    return replace(result, **changes)


@pytest.mark.parametrize("namespace", ["dev", "staging", "production"])
def test_the_role_of_setup_accepts_the_environments(namespace: str) -> None:
    assert refusal_reason(ROLE, namespace, request()) == ""


@pytest.mark.parametrize(
    ("role", "namespace", "changes", "words"),
    [
        (None, "dev", {}, "has no role vrooli-vso-sync-role at auth/kubernetes"),
        (ROLE, "elsewhere", {}, "namespace elsewhere (bound_service_account_namespaces)"),
        (ROLE, "dev", {"account": "default"}, "default (bound_service_account_names)"),
        (ROLE, "dev", {"audiences": ()}, "has the audience vault, and the token"),
        ({**ROLE, "audience": ""}, "dev", {}, "has the audience none"),
        ({**ROLE, "audience": "other"}, "dev", {}, "has the audience other"),
    ],
)
def test_a_role_that_refuses_the_login_says_why(
    role: dict[str, Any] | None, namespace: str, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal_reason(role, namespace, request(**changes))


def test_the_role_of_the_specification_accepts_the_account_default() -> None:
    open_role = {
        **configuration.role_settings(("default",), ("*",)),
        "audience": "",
    }
    wide = request(account="default", audiences=())
    assert refusal_reason(open_role, "anywhere", wide) == ""
