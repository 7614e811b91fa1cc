"""A client connects to PostgreSQL without TLS, which pg_hba.conf does not allow."""

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
    """Yield each rejected client, by the address in the error, or the pod that logged it."""
    clients: dict[Ref, tuple[re.Match[str], list[str]]] = {}
    for source, line in recent_lines(evidence, WORDS.pattern):
        match = WORDS.search(line)
        if match is not None:
            client = _client(evidence, match["host"], Ref("Pod", source.pod, source.namespace))
            clients.setdefault(client, (match, []))[1].extend(quoted([(source, line)]))
    for client, (match, log) in clients.items():
        yield Symptom(
            resource=client,
            message=f"it connects to PostgreSQL without TLS and is rejected: {match[0]}.",
            remediation="Enable TLS in the client: set sslmode=require in its connection string, "
            "or PGSSLMODE in its environment. PGO's pg_hba.conf allows only TLS connections.",
            command=f"kubectl set env {client.words} PGSSLMODE=require"
            if client.kind in ("Deployment", "StatefulSet") and not _is_database(evidence, client)
            else f"kubectl describe {client.words}",
            evidence=tuple(log[-2:]),
        )


def _client(evidence: Evidence, host: str, default: Ref) -> Ref:
    """The workload whose pod has this address, or the default."""
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
