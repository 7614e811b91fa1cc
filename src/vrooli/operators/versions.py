"""The versions of the operators: what each of them expects, and how that was proven. No I/O.

An operator of another version is used as well; what is not certain of it is reported.
docs/compatibility.md contains this list as a table.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

DOCUMENT = "docs/compatibility.md"
POSTGRES, REDIS, VAULT = "postgres-operator", "redis-operator", "vault-secrets-operator"


class Proof(StrEnum):
    """How a statement about a version was proven."""

    LIVE = "live"
    TRIED = "tried live"
    API_SERVER = "API server"
    SIMULATED = "simulated"
    READ = "read"
    NONE = "not proven"


@dataclass(frozen=True)
class Fact:
    """A statement about a version, and its proof."""

    text: str
    proof: Proof

    def __str__(self) -> str:
        return f"{self.text} ({self.proof.value})"


@dataclass(frozen=True)
class Facts:
    """What one version expects.

    Attributes:
        source: Where `vrooli` installs it from, and with which values.
        values: The values of Vrooli's chart that it requires.
        objects: Whether its definitions accept the objects of Vrooli's chart.
        readiness: From what `vrooli` decides that its resources are ready.
        rights: The permissions of its service account.
        rules: The rules of `vrooli diagnose` that are specific to it.
    """

    source: Fact
    values: Fact
    objects: Fact
    readiness: Fact
    rights: Fact
    rules: Fact

    def __iter__(self) -> Iterator[tuple[str, Fact]]:
        return ((field.name, getattr(self, field.name)) for field in fields(self))


@dataclass(frozen=True)
class OperatorVersion:
    """A version, or a line of versions, of an operator.

    Attributes:
        operator: The operator's name.
        title: The name of the version for people.
        lines: Its version, or what its versions start with: "5.8.2", "1".
        facts: What it expects.
        support: Why it should be replaced, as a clause after its title; empty if it need not be.
        postgres: The major versions of PostgreSQL of which it has images by default.
        newest_postgres: The newest major version that its definition accepts; 0: not PGO.
        upgrades_from: The versions from which an upgrade was proven, and how.
    """

    operator: str
    title: str
    lines: tuple[str, ...]
    facts: Facts
    support: str = ""
    postgres: tuple[int, ...] = ()
    newest_postgres: int = 0
    upgrades_from: Mapping[str, Proof] = field(default_factory=dict)

    def includes(self, operator: str, version: str) -> bool:
        """Whether a version of an operator belongs to it."""
        return operator == self.operator and any(
            version == line or version.startswith(f"{line}.") for line in self.lines
        )


_PGO_STATUS = "observed generation, ready instances, leader, users, pgBouncer"
_PGO_RULES = "events, conditions and log of PGO"
_REDIS_STATUS = "pods and their roles, StatefulSet, Deployment"
_REDIS_RULES = "state of Redis and Sentinel"
_VENDOR = "vendor's chart"

VERSIONS: tuple[OperatorVersion, ...] = (
    OperatorVersion(
        POSTGRES,
        "PGO 5.4-dev",
        ("5.4",),
        Facts(
            Fact("Go module, `restricted`", Proof.LIVE),
            Fact("`postgresVersion: 15`, `monitoring.enabled: false`", Proof.LIVE),
            Fact("accepted", Proof.LIVE),
            Fact(_PGO_STATUS, Proof.LIVE),
            Fact("cluster role of the module", Proof.LIVE),
            Fact(_PGO_RULES, Proof.LIVE),
        ),
        support="is a development version of June 2023 that its vendor does not support",
        postgres=(15,),
        newest_postgres=15,
    ),
    OperatorVersion(
        POSTGRES,
        "PGO 5.8.2",
        ("5.8.2",),
        Facts(
            Fact(f"{_VENDOR}, `restricted`", Proof.SIMULATED),
            Fact("`postgresVersion`: 16 or 17", Proof.API_SERVER),
            Fact("accepted", Proof.API_SERVER),
            Fact(_PGO_STATUS, Proof.READ),
            Fact("cluster role of the chart", Proof.READ),
            Fact(f"{_PGO_RULES}, `MissingRequiredImage`", Proof.SIMULATED),
        ),
        postgres=(16, 17),
        newest_postgres=17,
    ),
    OperatorVersion(
        POSTGRES,
        "PGO 5.8.5",
        ("5.8.5",),
        Facts(
            Fact("not installed", Proof.NONE),
            Fact("`postgresVersion`: 15, 16 or 17", Proof.API_SERVER),
            Fact("accepted", Proof.API_SERVER),
            Fact(_PGO_STATUS, Proof.READ),
            Fact("cluster role of its manifests", Proof.READ),
            Fact(_PGO_RULES, Proof.READ),
        ),
        postgres=(15, 16, 17),
        newest_postgres=18,
    ),
    OperatorVersion(
        POSTGRES,
        "PGO 6.0",
        ("6.0",),
        Facts(
            Fact("not installed", Proof.NONE),
            Fact("`postgresVersion`: 17 or 18; `v1beta1` is stored, `v1` served", Proof.API_SERVER),
            Fact("accepted", Proof.API_SERVER),
            Fact(_PGO_STATUS, Proof.READ),
            Fact("cluster role of its manifests", Proof.READ),
            Fact(_PGO_RULES, Proof.NONE),
        ),
        postgres=(17, 18),
        newest_postgres=18,
    ),
    OperatorVersion(
        REDIS,
        "Spotahome Redis operator 1.2.4",
        ("1.2.4",),
        Facts(
            Fact("Go module, `restricted`; the vendor's chart 3.2.7 is simulated", Proof.LIVE),
            Fact("defaults", Proof.LIVE),
            Fact("accepted", Proof.LIVE),
            Fact(_REDIS_STATUS, Proof.LIVE),
            Fact("cluster role of the chart", Proof.LIVE),
            Fact(f"log of the operator, {_REDIS_RULES}", Proof.LIVE),
        ),
        support="was archived by its publisher on 2026-06-11 and gets no fixes; the operator of "
        "freshworks-oss continues it with the same kinds",
        upgrades_from={"1.2.3": Proof.LIVE},
    ),
    OperatorVersion(
        REDIS,
        "freshworks-oss Redis operator 3.3.5",
        # Its images have the versions 1.3, its chart and releases 3.3.
        ("1.3", "3.3"),
        Facts(
            Fact("not installed", Proof.NONE),
            Fact("defaults; it adds a Service of the master and Valkey", Proof.API_SERVER),
            Fact("accepted", Proof.API_SERVER),
            Fact(_REDIS_STATUS, Proof.READ),
            Fact("cluster role of the chart", Proof.READ),
            Fact(_REDIS_RULES, Proof.NONE),
        ),
    ),
    OperatorVersion(
        VAULT,
        "Vault Secrets Operator 0.10",
        ("0.10",),
        Facts(
            Fact("Go module, `restricted`; the vendor's chart is simulated", Proof.LIVE),
            Fact("defaults", Proof.LIVE),
            Fact("accepted", Proof.LIVE),
            Fact("MAC and generation of the last sync", Proof.LIVE),
            Fact("cluster role of the chart", Proof.LIVE),
            Fact("events", Proof.LIVE),
        ),
    ),
    OperatorVersion(
        VAULT,
        "Vault Secrets Operator 1.x",
        ("1",),
        Facts(
            Fact("Go module 1.5.0, `restricted`", Proof.TRIED),
            Fact("defaults", Proof.TRIED),
            Fact("accepted (1.5.0)", Proof.API_SERVER),
            Fact("since 1.3 the condition `Ready`, before as 0.10", Proof.TRIED),
            Fact("cluster role of the chart", Proof.TRIED),
            Fact("events", Proof.TRIED),
        ),
    ),
    OperatorVersion(
        VAULT,
        "Vault Secrets Operator 2.x",
        ("2",),
        Facts(
            Fact("not installed", Proof.NONE),
            Fact("defaults; it has no kube-rbac-proxy", Proof.NONE),
            Fact("not tested", Proof.NONE),
            Fact("the condition `Ready`", Proof.SIMULATED),
            Fact("not tested", Proof.NONE),
            Fact("not tested", Proof.NONE),
        ),
    ),
)


def find(operator: str, version: str) -> OperatorVersion | None:
    """The entry of an operator's version; None if the version is not known."""
    return next((item for item in VERSIONS if item.includes(operator, version)), None)


def is_known_upgrade(operator: str, installed: str, target: str) -> bool:
    """Whether an upgrade from one version of an operator to another was proven."""
    entry = find(operator, target)
    return entry is not None and (installed == target or installed in entry.upgrades_from)


def notes(operator: str, title: str, version: str) -> tuple[str, ...]:
    """What a user should know about the version that runs: that it is archived or unknown.

    Args:
        operator: The operator's name.
        title: Its title.
        version: The version that runs; empty if it cannot be read.
    """
    entry = find(operator, version)
    if entry is not None:
        return (f"{entry.title} {entry.support}",) if entry.support else ()
    known = ", ".join(item.title for item in VERSIONS if item.operator == operator)
    return (
        f"{title} {version or 'of an unreadable version'} is not among the known versions "
        f"({known}): whether its definitions accept the chart's objects, and whether readiness "
        f"and diagnosis are correct, is not certain ({DOCUMENT})",
    )


def is_newer(version: str, other: str) -> bool:
    """Whether a version is newer than another, by their numbers."""
    pairs = itertools.zip_longest(_numbers(version), _numbers(other), fillvalue=0)
    return next((first > second for first, second in pairs if first != second), False)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
