"""A row of the table of upstream's keys, and short forms to write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vrooli.chart.upstream import changes
from vrooli.chart.upstream.changes import Change
from vrooli.secrets.catalog import SecretSpec

APPLICATIONS = ("ui", "server", "jobs")
COMPONENTS = (*APPLICATIONS, "nsfwDetector", "adminer")
UNREAD = "Upstream's templates do not read it."


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
        key: Upstream's key; `*` stands for one key, `**` for the remaining ones.
        targets: Keys of this chart; each `*` is what the same one of `key` stands for. Without a
            counterpart it is each existing item of a list.
        note: What changes, or without targets why the key has no place.
        change: Converts the value.
        whole: Whether the rule takes a mapping or a list as one value.
        also: Values that the key implies, by key of this chart.
        secret: The secret in Vault that the value belongs to, if the key holds a secret.
    """

    key: str
    targets: tuple[str, ...] = ()
    note: str = ""
    change: Change = changes.same
    whole: bool = False
    also: Mapping[str, Any] = field(default_factory=dict)
    secret: SecretSpec | None = None


def to(key: str, *targets: str, note: str = "", change: Change = changes.same) -> Rule:
    """Convert the value of a key."""
    return Rule(key, targets, note, change)


def whole(key: str, *targets: str, note: str = "", change: Change = changes.same) -> Rule:
    """Convert a mapping or a list as one value."""
    return Rule(key, targets, note, change, whole=True)


def no(key: str, reason: str) -> Rule:
    """Give the reason why a key has no place."""
    return Rule(key, note=reason)


def secret(key: str, secret: SecretSpec) -> Rule:
    """Name the secret that a key belongs to."""
    return Rule(key, secret=secret)


def each(pattern: str, names: tuple[str, ...] = APPLICATIONS) -> tuple[str, ...]:
    """Fill a pattern with the name of each service."""
    return tuple(pattern.format(name) for name in names)
