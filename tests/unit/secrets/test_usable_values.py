"""Values that a consumer cannot use are named before they do harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.errors import UsageError
from vrooli.secrets import catalog, env_file, usable

SECRET = "hunter2"
# Parts that break a URL, a configuration file or a shell if they are not encoded or quoted.
PARTS = (
    " ",
    "\t",
    "\n",
    '"',
    "'",
    "\\",
    "#",
    "@",
    "/",
    "%",
    "$",
    ":",
    "?",
    "&",
    "\u00e9",
    "\u2603",
)
REDIS_REFUSES = frozenset({" ", "\t", "\n", '"', "'", "\\"})


def with_value(tmp_path: Path, name: str, text: str) -> Path:
    """A complete secrets file with another text as a value."""
    path = tmp_path / ".env.dev"
    env_file.write_first(path)
    lines = path.read_text().splitlines()
    assert any(line.startswith(f"{name}=") for line in lines)
    lines = [f"{name}={text}" if line.startswith(f"{name}=") else line for line in lines]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("part", PARTS, ids=ascii)
@pytest.mark.parametrize("shape", ["{0}a", "a{0}b", "a{0}"])
def test_a_redis_password_is_refused_if_redis_conf_cannot_hold_it(part: str, shape: str) -> None:
    problem = usable.problem("REDIS_PASSWORD", shape.format(part) + SECRET * (part != "\n"))
    assert bool(problem) == (part in REDIS_REFUSES)
    assert SECRET not in problem


@pytest.mark.parametrize("part", PARTS, ids=ascii)
def test_a_database_password_may_contain_any_character_since_it_is_quoted(part: str) -> None:
    assert usable.problem("DB_PASSWORD", f"{part}a{part}b{part}") == ""


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("DB_PASSWORD", "a\0b", "null byte"),
        ("JWT_SECRET", "\0", "null byte"),
        ("DB_PASSWORD", 12345678, "is a int, not a string"),
        ("REDIS_PASSWORD", "x" * 16385, "longer than 16384 bytes"),
        ("REDIS_PASSWORD", "\u2603" * 6000, "longer than 16384 bytes"),
        ("REDIS_PASSWORD", "a\u007f", "control characters"),
        ("OPENAI_API_KEY", "sk-a\n", "HTTP header"),
        ("ANTHROPIC_API_KEY", " sk-a", "HTTP header"),
        ("STRIPE_SECRET_KEY", "sk\r\nX-Other: 1", "HTTP header"),
        ("DB_USER", "app_user", "lowercase letters"),
        ("DB_USER", "App", "lowercase letters"),
        ("DB_USER", "a" * 54, "lowercase letters"),
        ("DB_NAME", 'a"b', "database name"),
        ("username", "me:you", "colon"),
    ],
)
def test_a_value_that_no_consumer_can_use_has_a_reason(
    key: str, value: object, reason: str
) -> None:
    assert reason in usable.problem(key, value)


def test_generated_and_ordinary_values_can_be_used() -> None:
    for spec in catalog.ALL:
        for key, value in spec.first_values().items():
            assert usable.problem(key, value) == ""
    assert usable.problem("REDIS_PASSWORD", "x" * 16384) == ""
    assert usable.problem("ANOTHER_KEY", "a b\n") == ""


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("REDIS_PASSWORD", f"'a b{SECRET}'", "white space"),
        ("REDIS_PASSWORD", f'"a\\n{SECRET}"', "white space"),
        ("REDIS_PASSWORD", f"a'{SECRET}", "quotes"),
        ("DB_USER", "app_user", "lowercase"),
        ("DOCKERHUB_USERNAME", "me:you", "colon"),
        ("DB_PASSWORD", f"{SECRET} #1", "a comment begins: DB_PASSWORD"),
        ("STRIPE_SECRET_KEY", f"a{SECRET}\t# mine", "a comment begins: STRIPE_SECRET_KEY"),
    ],
)
def test_a_secrets_file_with_such_a_value_is_refused_by_the_key_only(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=name) as refused:
        env_file.read(with_value(tmp_path, name, text))
    assert reason in refused.value.message
    assert SECRET not in refused.value.message


@pytest.mark.parametrize(
    "text", ["a#b", "'a #b'", '"a #b" # mine', "p@ss/w%rd:$x", "\u00e9t\u00e9"]
)
def test_a_database_password_of_the_file_stays_as_written(tmp_path: Path, text: str) -> None:
    values = env_file.read(with_value(tmp_path, "DB_PASSWORD", text))
    expected = text.removesuffix(" # mine").strip("'\"")
    assert values[catalog.POSTGRES.path]["DB_PASSWORD"] == expected


def test_a_byte_order_mark_does_not_hide_the_first_key(tmp_path: Path) -> None:
    path = with_value(tmp_path, "DB_PASSWORD", "a")
    text = path.read_text()
    path.write_text("DB_NAME=vrooli\n" + text.replace("DB_NAME=vrooli\n", ""), encoding="utf-8-sig")
    assert env_file.read(path)[catalog.POSTGRES.path]["DB_NAME"] == "vrooli"
