"""A service reports in its health report that tables, or privileges on them, are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, mapping, ref_of, text

# The names that may be part of a command; the release's database has no other names.
_USER = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TABLE = re.compile(r"[A-Z]+ on (vrooli\.[a-z_]+)")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the release's database if its services report an incomplete schema."""
    reports = dict(_reports(evidence))
    if not reports:
        return
    owners = tuple(reports)
    clusters = [cluster for cluster, _ in postgres.clusters(evidence)]
    database = reports[owners[0]]
    schema = mapping(database, "schema")
    yield Symptom(
        resource=clusters[0] if clusters else owners[0],
        message=f"the services cannot use their schema in the database: {text(database, 'error')}.",
        remediation=_remedy(schema),
        command=_command(evidence, clusters, schema) or f"kubectl logs {owners[0].words} --tail=50",
        evidence=tuple(f"{ref}: {text(part, 'error')}" for ref, part in reports.items()),
        affects=owners if clusters else owners[1:],
    )


def _reports(evidence: Evidence) -> Iterator[tuple[Ref, Mapping[str, Any]]]:
    """Each workload that reports an incomplete schema, with the database part of its report."""
    for owner, pod in evidence.current:
        answer = health_answer.successful(evidence, ref_of(pod))
        if answer is None:
            continue
        database = mapping(health_answer.report(answer), "database")
        schema = mapping(database, "schema")
        if database.get("status") == "down" and (schema.get("missing") or schema.get("refused")):
            yield owner, database


def _remedy(schema: Mapping[str, Any]) -> str:
    if _is_foreign(schema) or schema.get("refused"):
        return (
            "Configure the services to log in as the owner of the schema, or make their user the "
            "owner (a restored database belongs to the user that restored it)."
        )
    return (
        "Restore a backup that contains it, or add it manually as in the service's migrations "
        "(services/shared/vrooli_shared/migrations). The services create missing tables themselves."
    )


def _is_foreign(schema: Mapping[str, Any]) -> bool:
    return bool(text(schema, "owner")) and text(schema, "owner") != text(schema, "user")


def _command(evidence: Evidence, clusters: list[Ref], schema: Mapping[str, Any]) -> str:
    """The command that makes the services' user the owner; empty if that is not the problem."""
    user, refused = text(schema, "user"), schema.get("refused")
    lost = [str(item) for item in refused] if isinstance(refused, list) else []
    leaders = postgres.leaders(evidence, clusters[0]) if clusters else []
    if not leaders or not _USER.fullmatch(user) or not (lost or _is_foreign(schema)):
        return ""
    tables = dict.fromkeys(match[1] for item in lost if (match := _TABLE.fullmatch(item)))
    statements = [f'ALTER TABLE {table} OWNER TO "{user}"' for table in tables]
    if _is_foreign(schema):
        statements.insert(0, f'ALTER SCHEMA vrooli OWNER TO "{user}"')
    statements.append(f'GRANT ALL ON ALL TABLES IN SCHEMA vrooli TO "{user}"')
    return postgres.psql(leaders[0], *statements, database=_database(evidence, clusters[0]))


def _database(evidence: Evidence, cluster: Ref) -> str:
    """The database that the services use: the first one of the cluster's first user."""
    users = mapping(evidence.get(cluster), "spec").get("users")
    first = users[0] if isinstance(users, list) and users else {}
    names = first.get("databases") if isinstance(first, Mapping) else None
    name = str(names[0]) if isinstance(names, list) and names else "vrooli"
    return name if _USER.fullmatch(name) else "vrooli"


RULE = Rule(
    rule_id="postgres-schema-missing",
    title="`schema missing`: a table, column or privilege that the services need does not exist",
    find=find,
    link="https://www.postgresql.org/docs/current/ddl-schemas.html",
)
