"""A user cannot create tables: PostgreSQL 15 and later restrict the schema `public`."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli.diagnosis.interface import Rule, Symptom

WORDS = "permission denied for schema"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each user of a cluster without a schema in which it may create tables."""
    for cluster, _ in postgres.clusters(evidence):
        leaders = postgres.leaders(evidence, cluster)
        log = list(recent_lines(evidence, WORDS))
        for answer in evidence.answers:
            if answer.probe != postgres_state.RIGHTS or not leaders:
                continue
            user, database = answer.about.kind.rstrip("@"), answer.about.name
            if postgres.parse_answer(answer).get("may") is not False:
                continue
            yield Symptom(
                resource=cluster,
                message=f"permission denied for schema public: user {user} cannot create tables in "
                f"database {database}. Since PostgreSQL 15 each user needs its own schema.",
                remediation="Create a schema for the user. Newer versions of PGO do so with the "
                'annotation postgres-operator.crunchydata.com/autoCreateUserSchema: "true".',
                command=postgres.psql(
                    leaders[0],
                    f'CREATE SCHEMA IF NOT EXISTS "{user}" AUTHORIZATION "{user}"',
                    f'GRANT ALL ON SCHEMA "{user}" TO "{user}"',
                    database=database,
                ),
                evidence=(
                    f"has_schema_privilege('{user}', …, 'CREATE'): false in public and in {user}",
                    *quoted(log, 2),
                ),
            )


RULE = Rule(
    rule_id="postgres-schema-permission",
    title="`permission denied for schema public`",
    find=find,
    link="https://www.postgresql.org/docs/release/15.0/",
)
