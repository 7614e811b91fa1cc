"""Values of secrets that a consumer cannot use, found before they do harm. No value is shown."""

from __future__ import annotations

import re

# In redis.conf and sentinel.conf, operator and Sentinel write the password without quotes: these
# characters end the word or begin a quotation. The rotator refuses the same characters.
_ENDS_WORD = re.compile(r"[\s\"'\\\x00-\x1f\x7f]")
# The longest argument that Redis reads from a client that is not logged in, bytes.
REDIS_MAX_BYTES = 16384
# API keys are sent in HTTP headers, which hold no control characters and no white space around
# the value.
_NO_HEADER = re.compile(r"^\s|\s$|[\x00-\x1f\x7f]")
# The role is part of the names of Secrets: the same pattern as pgoPostgresql.users in the chart.
_ROLE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .$-]{0,62}")
NULL_BYTE = "it contains a null byte, which an environment variable cannot hold"


# The keys with rules of an operator, by the kind of its object: external databases have others.
OPERATOR_KEYS = {
    "PostgresCluster": frozenset({"DB_USER", "DB_NAME"}),
    "RedisFailover": frozenset({"REDIS_PASSWORD"}),
}


def problem(key: str, value: object) -> str:
    """Why a value cannot be used; empty if it can.

    Passwords of PostgreSQL have no other rule: PGO and the services encode or quote them.

    Args:
        key: The key in the secret, such as REDIS_PASSWORD.
        value: Its value; a secret in Vault may contain other types than strings.
    """
    if not isinstance(value, str):
        return f"it is a {type(value).__name__}, not a string; write it in quotes"
    if "\0" in value:
        return NULL_BYTE
    if not value:
        return ""  # whether a value may be empty is a rule of the catalog
    rule = _RULES.get(key)
    return rule(value) if rule else ""


def _redis_password(value: str) -> str:
    if _ENDS_WORD.search(value):
        return (
            "it contains white space, quotes, backslashes or control characters, which the "
            "configuration of Redis cannot hold"
        )
    if len(value.encode()) > REDIS_MAX_BYTES:
        return f"it is longer than {REDIS_MAX_BYTES} bytes, which Redis accepts at a login"
    return ""


def _api_key(value: str) -> str:
    if _NO_HEADER.search(value):
        return (
            "it starts or ends with white space or contains a line break, which an HTTP header "
            "cannot hold"
        )
    return ""


def _role(value: str) -> str:
    return "" if _ROLE.fullmatch(value) else "PGO requires lowercase letters, digits and hyphens"


def _database(value: str) -> str:
    return "" if _DATABASE.fullmatch(value) else "the chart does not accept this database name"


def _registry_user(value: str) -> str:
    return "it contains a colon, which ends the name in a login" if ":" in value else ""


_RULES = {
    "REDIS_PASSWORD": _redis_password,
    "OPENAI_API_KEY": _api_key,
    "ANTHROPIC_API_KEY": _api_key,
    "STRIPE_SECRET_KEY": _api_key,
    "DB_USER": _role,
    "DB_NAME": _database,
    "username": _registry_user,
}
