"""pgBackRest cannot create its stanza: backups and WAL archiving do not work."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, dig, items
from vrooli.operators.pgo import passphrase

# Another passphrase decrypts to random bytes, which pgBackRest reports as an invalid format or
# padding (tests/services/test_repository_problems.py).
UNDECRYPTED = f"The repository cannot be decrypted. {passphrase.advice()}"
FAILED, CREATED = "UnableToCreateStanzas", "StanzasCreated"
CAUSES = {
    "[049]": "The repository host's name does not resolve: check DNS and that its pod is running.",
    "[028]": "The repository contains another cluster's backups: set a separate path for this "
    "cluster.",
    "[029]": UNDECRYPTED,
    "[095]": UNDECRYPTED,
    "[055]": "The repository cannot be read: check its credentials and permissions.",
}
ELSE = "Check the repository: its pod, DNS, the bucket's credentials and permissions."


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster whose last attempt to create a stanza failed."""
    for cluster, body in postgres.clusters(evidence):
        events = evidence.events_of(cluster, FAILED, CREATED)
        if not events or events[-1].reason != FAILED or _is_created(body):
            continue
        message = " ".join(events[-1].message.split())
        remedy = next((words for code, words in CAUSES.items() if code in message), ELSE)
        yield Symptom(
            resource=cluster,
            message=f"{FAILED}: {message}. Without a stanza there are no backups, and WAL "
            "accumulates.",
            remediation=f"{remedy} PGO retries automatically.",
            command=f"kubectl logs {shell.name(cluster.name)}-repo-host-0 -n "
            f"{shell.label(cluster.namespace)} "
            "--all-containers --tail=50",
            evidence=(str(events[-1]),),
            # PostgreSQL keeps running until its volume is full.
            can_explain=(
                *("postgres-archive-failing", "postgres-backup-failed", "postgres-disk-full"),
                *("job-failed", "not-ready"),
            ),
        )


def _is_created(cluster: Body) -> bool:
    """Whether every repository has its stanza: the failure was before that."""
    repos = items(cluster, "status", "pgbackrest", "repos")
    return bool(repos) and all(dig(repo, "stanzaCreated") is True for repo in repos)


RULE = Rule(
    rule_id="postgres-stanza-failed",
    title="`UnableToCreateStanzas`, `[049]: unable to get address for '…-repo-host-0…'`",
    find=find,
    link="https://pgbackrest.org/user-guide.html#quickstart/create-stanza",
)
