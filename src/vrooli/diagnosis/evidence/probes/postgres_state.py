"""The state of PostgreSQL: archiving, connections, privileges and disk usage."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence

from vrooli.diagnosis.evidence.collection.access import EXEC
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited
from vrooli.kube.objects import Body, Ref, items, labels, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.operators.pgo.names import (
    CLUSTER_LABEL,
    DATA_LABEL,
    LEADER_ROLES,
    ROLE_LABEL,
    SEARCH_PATH,
)

NAME, DISK, RIGHTS = "postgres-state", "postgres-disk", "postgres-rights"
CONTAINER = "database"
# The timeouts of a probe, including the connection to its pod, and of its query, seconds.
ANSWER_S, QUERY_S = 15.0, 10
STATE = """SELECT json_build_object(
  'archiver', (SELECT json_build_object(
     'archived', archived_count, 'failed', failed_count, 'last_failed', last_failed_wal,
     'failing', coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false))
     FROM pg_stat_archiver),
  'archive_command', (SELECT json_build_object('set', setting, 'by', sourcefile)
     FROM pg_settings WHERE name = 'archive_command'),
  'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'most', current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int,
  'databases', (SELECT json_agg(json_build_object(
     'name', d.datname, 'most', d.datconnlimit, 'used', s.numbackends))
     FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid WHERE NOT d.datistemplate))"""
# Whether a user may create tables in a schema of its search path: its own schema, or that of the
# role of its sessions.
MAY = """SELECT json_build_object('may', has_schema_privilege('{user}', 'public', 'CREATE')
  OR coalesce((SELECT bool_or(has_schema_privilege('{user}', oid, 'CREATE'))
     FROM pg_namespace WHERE nspname IN (SELECT coalesce(
       (SELECT substr(setting, 6) FROM unnest(rolconfig) AS setting WHERE setting LIKE 'role=%'),
       rolname) FROM pg_roles WHERE rolname = '{user}')), false))"""
# PGO accepts no other names, and nothing else is inserted into a query.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The responses of each cluster's leader, and of each instance about its volume."""
    return await gather_limited(lambda question: _query(kube, *question), _questions(evidence))


def _questions(evidence: Evidence) -> Iterator[tuple[Body, Ref, str, list[str]]]:
    for cluster in evidence.all("PostgresCluster") if evidence.may(EXEC) else ():
        ref = ref_of(cluster)
        pods = [
            pod
            for pod in evidence.pods({CLUSTER_LABEL: ref.name, DATA_LABEL: "postgres"})
            if _runs(pod)
        ]
        yield from ((pod, ref_of(pod), DISK, ["df", "-Pk", "/pgdata"]) for pod in pods)
        leader = next((pod for pod in pods if text(labels(pod), ROLE_LABEL) in LEADER_ROLES), {})
        if leader:
            yield leader, ref, NAME, _psql(STATE)
            for user, database in _users(cluster):
                query = MAY.format(user=user)
                yield (
                    leader,
                    Ref(f"{user}@", database, ref.namespace),
                    RIGHTS,
                    _psql(query, database),
                )


def _users(cluster: Body) -> Iterator[tuple[str, str]]:
    for user in items(cluster, "spec", "users"):
        databases = user.get("databases")
        for database in databases if isinstance(databases, list) else ():
            if _NAME.fullmatch(text(user, "name")) and _NAME.fullmatch(str(database)):
                yield text(user, "name"), str(database)


def _psql(query: str, database: str = "postgres") -> list[str]:
    psql = ["psql", "-AtXq", "-d", database, "-c", query]
    return ["timeout", str(QUERY_S), "env", f"PGOPTIONS={SEARCH_PATH}", *psql]


def _runs(pod: Body) -> bool:
    container = pod_status(pod).container(CONTAINER)
    return container is not None and container.is_running


async def _query(kube: Kube, pod: Body, about: Ref, name: str, argv: list[str]) -> Answer:
    ref = ref_of(pod)
    try:
        async with asyncio.timeout(ANSWER_S):
            output = await kube.exec(ref.namespace, ref.name, argv, CONTAINER)
    except TimeoutError:
        return Answer(name, about, f"no response within {ANSWER_S:.0f} s", ok=False)
    except VrooliError as error:
        return Answer(name, about, error.message, ok=False)
    return Answer(name, about, output, ok=name == DISK or _is_json(output))


def _is_json(output: str) -> bool:
    try:
        json.loads(output)
    except (ValueError, RecursionError):
        return False
    return True
