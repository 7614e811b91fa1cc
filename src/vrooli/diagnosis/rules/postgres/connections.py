"""PostgreSQL has no free connection."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, items, number, text

WORDS = r"too many (?:clients already|connections for)|remaining connection slots are reserved"
IDLE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = $$idle$$"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each cluster or database whose connections are all in use."""
    for cluster, _ in postgres.clusters(evidence):
        state = postgres.state(evidence, cluster)
        leaders = postgres.leaders(evidence, cluster)
        if not state or not leaders:
            continue
        log = quoted(list(recent_lines(evidence, WORDS)), 2)
        used, most = number(state, "connections"), number(state, "most")
        if 0 < most <= used:
            yield Symptom(
                resource=cluster,
                message=f"sorry, too many clients already: {used} of {most} connections are in "
                "use.",
                remediation="Connect clients through pgBouncer with smaller pools, or allow more "
                "connections (pgoPostgresql.parameters.max_connections). The command terminates "
                "idle connections.",
                command=postgres.psql(leaders[0], IDLE),
                evidence=(f"pg_stat_activity: {used}, max_connections less reserved: {most}", *log),
            )
        for database in items(state, "databases"):
            most, used = number(database, "most", default=-1), number(database, "used")
            if 0 <= most <= used:
                name = text(database, "name")
                yield _of_database(
                    cluster,
                    name,
                    used,
                    most,
                    (
                        postgres.psql(
                            leaders[0],
                            f'ALTER DATABASE "{shell.identifier(name)}" CONNECTION LIMIT -1',
                        ),
                        log,
                    ),
                )


def _of_database(
    cluster: Ref, name: str, used: int, most: int, rest: tuple[str, tuple[str, ...]]
) -> Symptom:
    command, log = rest
    return Symptom(
        resource=cluster,
        message=f"too many connections for database {name}: {used} are in use, {most} are allowed.",
        remediation="Raise the connection limit of the database, or connect its clients through "
        "pgBouncer.",
        command=command,
        evidence=(f"pg_database: datconnlimit {most}, numbackends {used}", *log),
    )


RULE = Rule(
    rule_id="postgres-too-many-connections",
    title="`sorry, too many clients already`, `too many connections for database`",
    find=find,
    link="https://www.postgresql.org/docs/current/runtime-config-connection.html",
)
