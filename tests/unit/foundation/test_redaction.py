"""No secret stays in a text, however it is spelt."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from vrooli.redaction import MASK, Redactor

SECRETS = ["pa55-W0rd/with+signs=", 'quo"ted\\back', "plainpassword1", "line-one-1\nline-two-22\n"]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in json": json.dumps,
    "in json in json": lambda value: json.dumps({"a": value}),
    "url": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 behind one byte": lambda value: base64.b64encode(b"x" + value.encode()).decode(),
    "base64 behind two bytes": lambda value: base64.b64encode(b"xy" + value.encode()).decode(),
    "base64 for urls": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "in a log line": lambda value: f"2026-01-01 ERROR login of bob with {value} failed",
    "in an address": lambda value: f"postgres://bob:{quote(value, safe='')}@host:5432/db",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_known_secret_is_masked_in_every_spelling(secret: str, spelling: str) -> None:
    text = SPELLINGS[spelling](secret)
    shown = Redactor([secret]).text(f"before {text} after")
    # Of base64 the last sign may stay, which the next byte shares.
    core = text.strip('"').rstrip("=\n")[2:-2]
    assert core not in shown
    for line in secret.splitlines():
        assert line not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("secret", ["<000123>", "$(q8Zk2L", "${q8Zk2L!", "{{q8Zk2LmN"])
def test_a_secret_that_begins_as_a_placeholder_does_is_masked(secret: str) -> None:
    assert Redactor([secret]).text(f"before {secret} after") == f"before {MASK} after"


@pytest.mark.parametrize("placeholder", ["<no value>", "$(DB_PASSWORD)", "{{ .Secrets.KEY }}"])
def test_a_placeholder_that_a_secret_holds_stays(placeholder: str) -> None:
    assert Redactor([placeholder]).text(placeholder) == placeholder


def test_the_values_of_secret_objects_are_known() -> None:
    data = {"password": base64.b64encode(b"from-the-object").decode()}
    assert "from-the-object" not in Redactor.of([{"data": data}, {}]).text("x from-the-object y")


@pytest.mark.parametrize("key", ["user", "DB_NAME", "pgbouncer-host", "namespace"])
def test_names_and_places_in_secrets_stay_readable(key: str) -> None:
    data = {key: base64.b64encode(b"vrooli-pg-primary").decode()}
    assert Redactor.of([{"data": data}]).text("at vrooli-pg-primary") == "at vrooli-pg-primary"


def test_helms_notes_are_no_secrets() -> None:
    data = {"release": base64.b64encode(b"a long text of Helm").decode()}
    notes = {"type": "helm.sh/release.v1", "data": data}
    assert Redactor.of([notes]).text("a long text of Helm") == "a long text of Helm"


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=hunter2",
        "token: abcdef",
        "Failed to read Vault secret: password=hunter2 403 permission denied",
        '{"client_secret": "s3"}',
        "redis://:hunter2@redis:6379",
        "https://bob:hunter2@example.com/x",
        "api-key = 'k'",
    ],
)
def test_what_looks_like_a_password_is_masked_without_being_known(text: str) -> None:
    shown = Redactor().text(text)
    assert not any(word in shown for word in ("hunter2", "abcdef", '"s3"', "'k'"))
    assert "(masked)" in shown


@pytest.mark.parametrize(
    "text", ["https://example.com:8080/a", "5 pods are ready", "the secret is"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert Redactor(["pa55-word"]).text(text) == text


def test_a_structure_stays_one() -> None:
    found = Redactor(["pa55-word"]).tree({"a": ["x pa55-word", 3, None], "b": {"pa55-word": True}})
    assert found == {"a": ["x (masked)", 3, None], "b": {"(masked)": True}}
