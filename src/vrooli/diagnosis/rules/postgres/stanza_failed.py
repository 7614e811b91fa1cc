"""pgBackRest can't make its stanza: no backup and no archive work."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, items, text

FAILED, CREATED = "UnableToCreateStanzas", "StanzasCreated"
CAUSES = {
    "[049]": "The repository's host has no address: see to DNS, and that its pod runs.",
    "[028]": "The repository holds another cluster's backups: give this one a path of its own.",
    "[055]": "The repository can't be read: see to its credentials and rights.",
}
ELSE = "See to the repository: its pod, DNS, the bucket's credentials and rights."


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each cluster with a repository whose stanza couldn't be made, and hasn't been since."""
    for cluster, body in postgres.clusters(evidence):
        events = evidence.events_of(cluster, FAILED, CREATED)
        if not events or events[-1].reason != FAILED or _is_created(body):
            continue
        message = " ".join(events[-1].message.split())
        remedy = next((words for code, words in CAUSES.items() if code in message), ELSE)
        yield Symptom(
            resource=cluster,
            message=f"{FAILED}: {message}. Without a stanza there are no backups, and WAL piles "
            "up.",
            remediation=f"{remedy} PGO tries again by itself.",
            command=f"kubectl logs {cluster.name}-repo-host-0 -n {cluster.namespace} "
            "--all-containers --tail=50",
            evidence=(str(events[-1]),),
            # PostgreSQL runs on until its volume is full.
            can_explain=(
                *("postgres-archive-failing", "postgres-backup-failed", "postgres-disk-full"),
                *("job-failed", "not-ready"),
            ),
        )


def _is_created(cluster: Body) -> bool:
    """Whether all repositories have theirs: the event is of the beginning then."""
    repos = items(cluster, "status", "pgbackrest", "repos")
    return bool(repos) and all(text(repo, "stanzaCreated") == "True" for repo in repos)


RULE = Rule(
    rule_id="postgres-stanza-failed",
    title="`UnableToCreateStanzas`, `[049]: unable to get address for '…-repo-host-0…'`",
    find=find,
    link="https://pgbackrest.org/user-guide.html#quickstart/create-stanza",
)
