"""Values of Secrets are masked in spellings that separate or escape their characters."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vrooli import inert
from vrooli.redaction import MASK, Redactor
from vrooli.redaction.values import secret_values

SECRETS = [
    "pa55-W0rd/with+signs=",
    "plainpassword1",
    'q<u&o"t\\ed9',
    "mot de pässe 7",
    "it's$5(no)!*",
]


def _bytes(secret: str, before: str, between: str) -> str:
    return between.join(f"{before}{byte:02x}" for byte in secret.encode())


SPELLINGS: dict[str, Callable[[str], str]] = {
    "unicode escapes": lambda it: "".join(f"\\u{ord(sign):04x}" for sign in it),
    "upper unicode escapes": lambda it: "".join(f"\\u{ord(sign):04X}" for sign in it),
    "percent-encoded whole": lambda it: "".join(f"%{byte:02X}" for byte in it.encode()),
    "percent-encoded in lower case": lambda it: "".join(f"%{byte:02x}" for byte in it.encode()),
    "percent-encoded twice": lambda it: quote(quote(it, safe=""), safe=""),
    "by JavaScript": lambda it: quote(it, safe="!'()*~"),
    "in SQL": lambda it: it.replace("'", "''"),
    "in a shell": lambda it: it.replace("$", "\\$"),
    "in a Compose file": lambda it: it.replace("$", "$$"),
    "bytes with colons": lambda it: _bytes(it, "", ":"),
    "bytes with spaces": lambda it: _bytes(it, "", " "),
    "bytes with hyphens": lambda it: _bytes(it, "", "-").upper(),
    "escaped bytes": lambda it: _bytes(it, "\\x", ""),
    "bytes of a program": lambda it: _bytes(it, "0x", ", "),
    "coloured": lambda it: f"{it[:5]}\x1b[1;31m{it[5:]}\x1b[0m",
    "each character coloured": lambda it: "".join(f"\x1b[1m{sign}" for sign in it),
    "zero-width characters": "\u200b".join,
    "decimal entities": lambda it: "".join(f"&#{ord(sign)};" for sign in it),
}
PREFIXES = [
    "2026-06-01T12:00:00.123456789Z stdout P ",
    "2026-06-01T12:00:00Z ",
    "2026-06-01 12:00:00.000 UTC [87] ",
    "I0601 12:00:00.123456       1 main.go:12] ",
    "[pod/vrooli-dev-server-0/server] ",
    "INFO ",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_known_value_is_masked_in_each_spelling(secret: str, spelling: str) -> None:
    if spelling == "decimal entities" and not secret.isalnum():
        secret = secret.translate({ord(sign): "x" for sign in "<&\"'\\ä"})
    text = SPELLINGS[spelling](secret)
    masked = Redactor([secret]).text(f"before {text} after")
    assert masked == f"before {MASK} after"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_value_that_the_prefix_of_a_log_line_splits_is_masked(prefix: str) -> None:
    secret = "pa55-W0rd/with+signs="
    lines = [f"{prefix}sends {secret[:9]}", f"{prefix}{secret[9:]} to bob"]
    for masked in (Redactor([secret]).lines(lines), Redactor([secret]).text("\n".join(lines))):
        text = masked if isinstance(masked, str) else "\n".join(masked)
        assert secret[:9] not in text
        assert secret[9:] not in text
        assert text.startswith(f"{prefix}sends {MASK}")
        assert text.endswith(" to bob")


# What a terminal and `vrooli.inert` do not show.
HIDDEN = [
    *("\x1b[m", f"\x1b[{'1;' * 25}m", "\x9b1m", "\x1b(B", "\x1b]0;title\x07", "\x1bPhid\x1b\\"),
    *(
        "\x90\x9c",
        "\x9fhid\x9c",
        "\x1b\x1b[m[m",
        "\u200b",
        "\u00ad",
        "\ufe0f",
        "\u3164",
        "\u034f",
        "\U000e0041",
    ),
]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("number", [1, 1200])
def test_a_value_that_hidden_characters_split_is_masked(hidden: str, number: int) -> None:
    secret = "Xk7Rv2qLm9Tz"
    masked = Redactor([secret]).text(
        f"{hidden * (number - 1)}login {secret[:3]}{hidden}{secret[3:]}"
    )
    assert masked == f"login {MASK}"
    assert inert.line(masked) == masked


def test_a_value_with_an_escape_is_masked_beside_another_secret() -> None:
    secret, token = "abc%41defXYZ9", f"ghp_{'a1B2' * 9}"
    masked = Redactor([secret]).text(f"\x1b[31mERROR\x1b[0m token: {token} value {secret} end")
    assert inert.line(masked) == f"ERROR token: {MASK} value {MASK} end"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.text("abcdefghijkLMNOPQ0123456789-_+/=!", min_size=10, max_size=40).filter(
        lambda text: len(set(text)) > 6 and any(map(str.isdigit, text)) and not text.isdigit()
    ),
    st.sampled_from(sorted(SPELLINGS)),
)
def test_a_drawn_value_is_masked_in_each_spelling(secret: str, spelling: str) -> None:
    masked = Redactor([secret]).text(f"before {SPELLINGS[spelling](secret)} after")
    assert masked == f"before {MASK} after"


def test_a_thousand_values_take_little_memory_and_time() -> None:
    redactor = Redactor(f"value-{number:05}-{number * 7919:08x}" for number in range(1_000))
    assert redactor.text("a value-00007-0000d889 b") == f"a {MASK} b"


def test_bytes_of_others_remain() -> None:
    text = "hardware address 02:42:ac:11:00:02:aa:bb, at 12:00:00, sha1 aa bb cc dd ee ff 00 11"
    assert Redactor(SECRETS).text(text) == text


FILES = {
    ".env": 'export DEBUG=1\nDB_PASSWORD="hunter2hunter2"\n',
    "app.env": "password: hunter2hunter2",
    "dos.env": "DB_PASSWORD='hunter2hunter2';\r\nDEBUG=1\r\n",
    "s3.conf": "[global]\nrepo1-s3-key-secret=hunter2hunter2\nrepo1-s3-region=eu-central-1\n",
    "conf.yaml": "server:\n  auth:\n    token: 'hunter2hunter2'\n    level: information\n",
    "db.crt": "hunter2hunter2",
    "web.env": "PORT=1\nDATABASE_URL=postgres://u:hunter2hunter2@db/vrooli\n",
    "php.ini": 'password = "hunter2hunter2" ; as in production\n',
    "redis.conf": "appendonly yes\nrequirepass hunter2hunter2\n",
    "comment.yaml": "password: hunter2hunter2 # of all\n",
    "conf.xml": "<db>\n<password>hunter2hunter2</password>\n</db>",
    ".netrc": "machine h login u password hunter2hunter2",
    ".pgpass": "db:5432:vrooli:u:hunter2hunter2",
    "env": "hunter2hunter2",
}


@pytest.mark.parametrize("key", FILES)
def test_the_secrets_in_a_file_of_settings_are_masked_alone(key: str) -> None:
    redactor = Redactor.of([{"stringData": {key: FILES[key]}}])
    assert "hunter2" not in redactor.text("login with hunter2hunter2 failed")
    for shown in ("region eu-central-1", "level information"):
        assert redactor.text(shown) == shown


def test_a_mode_in_a_file_of_settings_is_shown() -> None:
    redactor = Redactor.of([{"stringData": {"vault.yaml": "auth: kubernetes\npath: a"}}])
    assert redactor.text("login by kubernetes failed") == "login by kubernetes failed"


def test_a_file_of_settings_is_read_in_linear_time() -> None:
    begin = time.process_time()
    list(secret_values([{"stringData": {"conf": f"password={',' * 100_000}x"}}]))
    assert time.process_time() - begin < 1


def test_a_certificate_and_the_name_of_an_environment_are_shown() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nTUlJQ2hhaW4=\n-----END CERTIFICATE-----\n"
    redactor = Redactor.of([{"stringData": {"tls.crt": certificate, "env": "testing-two"}}])
    for shown in ("TUlJQ2hhaW4=", "testing-two"):
        assert redactor.text(shown) == shown


def test_secrets_in_a_structure_are_masked_whatever_they_are() -> None:
    redactor = Redactor()
    masked = redactor.tree(
        {
            "command": ["redis-cli", "-a", "hunter2hunter2", "PING"],
            "password": 12345678,
            "ports": [{"containerPort": 5432}],
            "setting": {"key": "password", "value": "hunter2hunter2"},
            "args": ["sh", "-c", "exec node index.js"],
        }
    )
    assert "hunter2" not in str(masked)
    assert "12345678" not in str(masked)
    assert masked["command"][0] == "redis-cli"
    assert masked["args"] == ["sh", "-c", "exec node index.js"]
    assert masked["ports"] == [{"containerPort": 5432}]
