"""A client speaks to PostgreSQL without TLS, which its rules don't take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, text

WORDS = re.compile(
    r'no pg_hba\.conf entry for host "(?P<host>[^"]+)", user "(?P<user>[^"]+)", '
    r'database "(?P<database>[^"]+)", (?:no encryption|SSL off)'
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each client that is refused, as the server names it; else as it says itself."""
    clients: dict[Ref, tuple[re.Match[str], list[str]]] = {}
    for source, line in recent_lines(evidence, WORDS.pattern):
        match = WORDS.search(line)
        if match is not None:
            client = _client(evidence, match["host"], Ref("Pod", source.pod, source.namespace))
            clients.setdefault(client, (match, []))[1].extend(quoted([(source, line)]))
    for client, (match, log) in clients.items():
        yield Symptom(
            resource=client,
            message=f"it speaks to PostgreSQL without TLS, and is refused: {match[0]}.",
            remediation="Have it ask for TLS: sslmode=require in its address or PGSSLMODE in its "
            "environment. PGO's rules take nothing else.",
            command=f"kubectl set env {client.words} PGSSLMODE=require"
            if client.kind in ("Deployment", "StatefulSet") and not _is_database(evidence, client)
            else f"kubectl describe {client.words}",
            evidence=tuple(log[-2:]),
        )


def _client(evidence: Evidence, host: str, default: Ref) -> Ref:
    """The workload at an address."""
    for pod in evidence.all("Pod", ""):
        if text(pod, "status", "podIP") == host:
            return evidence.owner(pod)
    body = evidence.get(default)
    return evidence.owner(body) if body is not None else default


def _is_database(evidence: Evidence, client: Ref) -> bool:
    return any(client.name.startswith(f"{ref.name}-") for ref, _ in postgres.clusters(evidence))


RULE = Rule(
    rule_id="postgres-ssl-off",
    title="`no pg_hba.conf entry … SSL off` (`no encryption`)",
    find=find,
    link="https://www.postgresql.org/docs/current/libpq-ssl.html",
)
