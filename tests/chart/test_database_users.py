"""Users of PostgreSQL that PGO or pgBouncer refuses are rejected before anything is applied."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.errors import UsageError

FIRST, SECOND = "pgoPostgresql.users.0", "pgoPostgresql.users.1"
PLAIN = {"name": "vrooli", "databases": ["vrooli"]}


def users(*options: str, name: str = "vrooli") -> dict[str, Any]:
    """Values with one user for each of these options; the second one is a reporting tool's."""
    names = (name, "reports")
    listed = [
        {**PLAIN, "name": each, "options": option}
        for each, option in zip(names, options, strict=False)
    ]
    return {"pgoPostgresql": {"users": listed}}


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as refused:
        render(values)
    assert refused.value.exit_code == 2
    return refused.value.message


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("SUPERUSER", "SUPERUSER"),
        ("superuser", "SUPERUSER"),
        ("CREATEDB SUPERUSER", "SUPERUSER"),
        ("Replication CREATEDB", "REPLICATION"),
        ("NOLOGIN", "NOLOGIN"),
        ("VALID UNTIL '2024-01-31'", "VALID UNTIL"),
        ("valid  until '2030-01-31T10:00:00Z' CREATEDB", "VALID UNTIL"),
    ],
)
def test_a_first_user_that_the_pool_refuses_is_rejected(options: str, named: str) -> None:
    message = refusal(users(options))
    assert f"{FIRST}.options" in message
    assert "pgBouncer refuses" in message
    assert named in message


def test_the_administrator_is_rejected_as_the_first_user() -> None:
    assert f"{FIRST}.name: postgres is a superuser" in refusal(users("", name="postgres"))


@pytest.mark.parametrize("name", ["public", "none"])
def test_a_reserved_word_is_rejected_as_a_name(name: str) -> None:
    assert f"{FIRST}.name: {name} is a reserved word" in refusal(users("", name=name))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("PASSWORD 'x'", "PASSWORD is not allowed"),
        ("encrypted Password 'x'", "PASSWORD is not allowed"),
        ("CREATEDB -- a comment", "a comment"),
        ("CREATEDB--", "a comment"),
        ("CREATEDB, CREATEROLE", "/users/1/options"),
        ("CREATEDB; DROP TABLE a", "/users/1/options"),
        ("/* a */ CREATEDB", "/users/1/options"),
        ("CREATEDATABASE", "not a list of role attributes"),
        ("CREATEDBSUPERUSER", "not a list of role attributes"),
        ("CONNECTION LIMIT", "not a list of role attributes"),
        ("CONNECTION LIMIT 99999999999", "not a list of role attributes"),
        ("VALID UNTIL tomorrow", "not a list of role attributes"),
        ("VALID UNTIL 'x", "not a list of role attributes"),
        ("IN ROLE admin", "not a list of role attributes"),
        ("CREATEDB NOCREATEDB", "sets an attribute twice"),
        ("CONNECTION LIMIT 1 CONNECTION LIMIT 2", "sets an attribute twice"),
    ],
)
def test_options_that_pgo_or_postgresql_refuses_are_rejected_with_a_reason(
    options: str, reason: str
) -> None:
    message = refusal(users("", options))
    assert reason in message
    assert f"{SECOND}.options" in message or "/users/1/options" in message


@pytest.mark.parametrize(
    "options",
    [
        "",
        "CREATEDB",
        "createdb CREATEROLE",
        "NOSUPERUSER NOREPLICATION LOGIN INHERIT BYPASSRLS",
        "CONNECTION LIMIT -1",
        "connection limit 20 VALID UNTIL 'infinity'",
    ],
)
def test_options_that_the_pool_accepts_stay(options: str) -> None:
    first = render(users(options))["PostgresCluster/vrooli-pg"].body["spec"]["users"][0]
    assert first.get("options", "") == options


@pytest.mark.parametrize("options", ["SUPERUSER", "REPLICATION", "VALID UNTIL '2030-01-31 10:00'"])
def test_other_users_may_have_them(options: str) -> None:
    second = render(users("", options))["PostgresCluster/vrooli-pg"].body["spec"]["users"][1]
    assert second["options"] == options
