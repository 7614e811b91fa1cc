"""The keys of a secret in Vault that the templates of a VaultStaticSecret read."""

from __future__ import annotations

import pytest

from vrooli.operators.vso.templates import read_keys, secret_keys


@pytest.mark.parametrize(
    ("template", "keys"),
    [
        ('{{ get .Secrets "A_KEY" }}', {"A_KEY"}),
        ('{{ index .Secrets "A_KEY" }}', {"A_KEY"}),
        ("{{ index .Secrets `odd-key` }}", {"odd-key"}),
        ("{{ .Secrets.name | toJson }} {{ .Secrets.other }}", {"name", "other"}),
        ("plain", set()),
        ("", set()),
    ],
)
def test_each_form_of_reading_a_key_is_a_use_of_it(template: str, keys: set[str]) -> None:
    assert read_keys(template) == keys


def test_a_secret_uses_the_keys_of_all_its_templates() -> None:
    templates = {"a": {"text": "{{ .Secrets.one }}"}, "b": {"text": '{{ get .Secrets "two" }}'}}
    secret = {"spec": {"destination": {"transformation": {"templates": templates}}}}
    assert secret_keys(secret) == {"one", "two"}
    assert secret_keys({"spec": {"destination": {}}}) == set()
