"""SQL in the pods of a PostgresCluster, as superuser over the socket: no password is needed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vrooli.databases import programs
from vrooli.databases.ownership import Database
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube.objects import labels, name, text
from vrooli.kube.status import is_pod_ready
from vrooli.operators.pgo import names

CONTAINER = "database"
# The time limit of SQL, seconds.
SQL_S = 30.0
# The server stops a statement itself: it would go on after its client has ended. Terse errors do
# not quote the statement, which may hold a password.
_PSQL = (
    f'env PGOPTIONS="-c statement_timeout=${{limit}}s {names.SEARCH_PATH}" '
    "psql -X -q -v ON_ERROR_STOP=1 "
    '-v VERBOSITY=terse -P null="$2" $3 -t -d "$1" ${4:+-h "$4"} -f -'
)
# A value of CSV that stands for NULL; PostgreSQL's own form in COPY.
_NULL = r"\N"
_PREFIX = re.compile(r"^psql:<stdin>:\d+: ", re.MULTILINE)


class StatementError(VrooliError):
    """PostgreSQL refused a statement."""


@dataclass(frozen=True)
class Instance:
    """A PostgreSQL pod.

    Attributes:
        pod: Its name.
        instance_set: The instance set that it belongs to.
        is_primary: Whether Patroni reports it as the leader.
        is_ready: Whether it is ready.
    """

    pod: str
    instance_set: str
    is_primary: bool
    is_ready: bool


@dataclass(frozen=True)
class Postgres(Database):
    """The PostgresCluster of a release.

    Attributes:
        socket: The folder of the socket of another server in its pods; empty takes the usual one.
    """

    API_VERSION, KIND, TITLE = names.API_VERSION, names.KIND, "PostgreSQL"

    socket: str = ""

    @property
    def selector(self) -> str:
        """The label selector of its pods."""
        return f"{names.CLUSTER_LABEL}={self.name},{names.DATA_LABEL}=postgres"

    async def instances(self) -> list[Instance]:
        """Its pods that are not being deleted, by name."""
        pods = await self.kube.list("v1", "Pod", self.namespace, self.selector)
        return sorted(
            (
                Instance(
                    name(pod),
                    text(labels(pod), names.INSTANCE_SET_LABEL),
                    text(labels(pod), names.ROLE_LABEL) in names.LEADER_ROLES,
                    is_pod_ready(pod),
                )
                for pod in pods
                if not text(pod, "metadata", "deletionTimestamp")
            ),
            key=lambda instance: instance.pod,
        )

    async def primary(self) -> Instance:
        """The pod that Patroni reports as the leader.

        Raises:
            PrerequisiteError: No pod is the primary.
        """
        primaries = [item for item in await self.instances() if item.is_primary]
        if len(primaries) != 1:
            count = "several primaries" if primaries else "no primary"
            raise PrerequisiteError(
                f"PostgreSQL {self.name} in namespace {self.namespace} has {count}.",
                "Run `vrooli diagnose` to find the cause.",
            )
        return primaries[0]

    async def query(
        self, select: str, database: str = "postgres", *, pod: str = "", limit_s: float = SQL_S
    ) -> list[dict[str, Any]]:
        """The rows of a query as JSON objects.

        Args:
            select: One query without a semicolon.
            database: The database.
            pod: The instance; empty takes the primary.
            limit_s: The time limit, seconds.

        Raises:
            PrerequisiteError: No pod is the primary.
            StatementError: PostgreSQL refused the query.
            WaitTimeoutError: It did not end in time.
            ApiError: Programs may not be run in the pod.
        """
        statement = f"SELECT to_jsonb(item) FROM (\n{select}\n) AS item;\n"  # noqa: S608
        output = await self._psql(statement, database, pod, limit_s, form="-A")
        return [json.loads(line) for line in output.split("\n") if line]

    async def execute(
        self, statements: str, database: str = "postgres", *, pod: str = "", limit_s: float = SQL_S
    ) -> list[Sequence[str | None]]:
        """Run statements; returns the rows of their results as texts.

        Each statement is a transaction of its own, unless they contain ``BEGIN``. Arguments and
        errors are those of ``query``.
        """
        output = await self._psql(statements, database, pod, limit_s, form="--csv")
        rows = csv.reader(io.StringIO(output))
        return [[None if value == _NULL else value for value in row] for row in rows]

    async def _psql(
        self, statements: str, database: str, pod: str, limit_s: float, *, form: str
    ) -> str:
        place = Place(self.namespace, pod or (await self.primary()).pod, CONTAINER)
        arguments = [database, _NULL, form, self.socket]
        completed = await programs.run(self.kube, place, _PSQL, arguments, statements, limit_s)
        if completed.exit_code:
            reason = _PREFIX.sub("", completed.stderr).strip()
            raise StatementError(
                f"PostgreSQL in pod {place} refused a statement: "
                f"{reason or f'psql exited with {completed.exit_code}'}"
            )
        return completed.stdout
