"""Why a repository cannot be used, and what to do about it. No I/O here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vrooli.operators.pgo import passphrase

DIAGNOSE = "Run `vrooli diagnose` to find the cause."
# The head of each encrypted file, the format of `openssl enc`.
_ENCRYPTED = "Salted__"
# Another passphrase decrypts to random bytes: their padding or their first line is invalid.
_UNDECIPHERABLE = re.compile(r"\b(Crypto|Format)Error\b")
# pgBackRest's exit codes if the stanza is that of another PostgreSQL (src/common/error.auto.c):
# a file of it, and a backup, do not match the database.
FOREIGN_CODES = frozenset({28, 51})
FOREIGN_ADVICE = (
    "Its backups are not changed. To read them, restore a copy of one: `vrooli restore --point ID "
    "--into NAMESPACE`. To back up this release, move them to another place, or use another bucket "
    "or backup volume."
)
# A request that an object storage has refused, as pgBackRest reports it, and the storage's reason.
_REFUSED = re.compile(
    r":\s*\*\*\* Path/Query \*\*\*:.*?(?:\*\*\* Response Content \*\*\*:(?P<content>.*)|\Z)",
    re.DOTALL,
)
_REASON = re.compile(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", re.DOTALL)
# The most characters of a reason that is not XML.
_MOST = 300


@dataclass(frozen=True)
class Problem:
    """Why a repository cannot be used.

    Attributes:
        reason: Why, without a period.
        advice: What to do.
    """

    reason: str
    advice: str


def reported(number: int, message: str, *, encrypted: bool) -> Problem:
    """The problem that pgBackRest reports, which may quote random bytes.

    Args:
        number: The number of the repository.
        message: pgBackRest's message.
        encrypted: Whether the release has a passphrase for the repository.
    """
    if not encrypted and _ENCRYPTED in message:
        return Problem(
            "it is encrypted, but the release has no passphrase for it",
            "Set `encrypted: true` of this repository in pgoPostgresql.backup, and "
            f"{passphrase.option(number)} in the Secret that it names.",
        )
    if encrypted and _UNDECIPHERABLE.search(message):
        return Problem(
            "it cannot be decrypted: the passphrase is not the one with which it was created, or "
            "its file backup.info is damaged",
            passphrase.advice(number),
        )
    return Problem(brief(message), DIAGNOSE)


def brief(message: str) -> str:
    """A message of pgBackRest in one line; of a refused request without its path and headers."""
    refused = _REFUSED.search(message)
    if refused is None:
        return " ".join(message.split()).rstrip(".")
    content = refused["content"] or ""
    reason = _REASON.search(content)
    answer = ": ".join(reason.groups()) if reason else content[:_MOST]
    parts = (" ".join(part.split()) for part in (message[: refused.start()], answer))
    return ": ".join(filter(None, parts)).rstrip(".")


def foreign(cluster: str, system: str, own: str) -> Problem:
    """The problem of a repository with the backups of another PostgreSQL.

    Args:
        cluster: The name of the PostgresCluster.
        system: The system identifier in the repository.
        own: That of the cluster.
    """
    return Problem(
        f"it has the backups of another PostgreSQL, with the system identifier {system}; that of "
        f"{cluster} is {own}",
        FOREIGN_ADVICE,
    )
