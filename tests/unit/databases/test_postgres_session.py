"""SQL in the pods of a release's PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import Sql, output, owned, postgres_pod, psql
from vrooli.databases.postgres.session import Postgres, StatementError
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.kube import ApiError
from vrooli.kube.execution import Completed
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
CLUSTER = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
PRIMARY, REPLICA = postgres_pod("pg-a-0", "master"), postgres_pod("pg-b-0", "replica")

pytestmark = pytest.mark.anyio


def cluster_with(sql: Sql | None = None, *pods: dict[str, object]) -> FakeCluster:
    cluster = FakeCluster(CLUSTER, *(pods or (PRIMARY, REPLICA)))
    if sql is not None:
        cluster.server.programs.handlers["dev", "pg-a-0", "database"] = psql(sql)
    return cluster


async def test_a_query_runs_in_the_primary_and_returns_its_rows() -> None:
    statements: list[str] = []

    def answer(sql: str) -> Completed:
        statements.append(sql)
        return output('{"a": 1, "b": null}\n{"a": 2, "b": "x\\ny"}\n')

    postgres = await Postgres.of(cluster_with(answer), RELEASE)
    assert await postgres.query("SELECT a, b FROM t") == [
        {"a": 1, "b": None},
        {"a": 2, "b": "x\ny"},
    ]
    assert statements == ["SELECT to_jsonb(item) FROM (\nSELECT a, b FROM t\n) AS item;\n"]


async def test_functions_of_the_application_are_not_on_the_superusers_search_path() -> None:
    cluster = cluster_with(lambda _: output(""))
    await (await Postgres.of(cluster, RELEASE)).execute("SELECT 1")
    (program,) = cluster.server.programs.ran
    assert '="-c statement_timeout=${limit}s -c search_path=pg_catalog,pg_temp" ' in program.argv[2]


async def test_a_statement_is_not_in_the_arguments_of_its_program() -> None:
    cluster = cluster_with(lambda _: output("1,\\N\n"))
    postgres = await Postgres.of(cluster, RELEASE)
    assert await postgres.execute("ALTER ROLE x PASSWORD 'secret'") == [["1", None]]
    (program,) = cluster.server.programs.ran
    assert "secret" not in " ".join(program.argv)
    assert "secret" not in repr(program)


async def test_a_refused_statement_reports_the_reason_alone() -> None:
    failed = Completed(3, "", 'psql:<stdin>:1: ERROR:  relation "t" does not exist\n')
    postgres = await Postgres.of(cluster_with(lambda _: failed), RELEASE)
    with pytest.raises(StatementError) as error:
        await postgres.execute("TABLE t")
    assert error.value.message == (
        'PostgreSQL in pod dev/pg-a-0 refused a statement: ERROR:  relation "t" does not exist'
    )


async def test_a_statement_that_does_not_end_is_stopped() -> None:
    postgres = await Postgres.of(cluster_with(lambda _: Completed(124, "", "")), RELEASE)
    with pytest.raises(WaitTimeoutError, match="gave no result within 2 s"):
        await postgres.execute("SELECT pg_sleep(9)", limit_s=2)


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ((REPLICA,), "no primary"),
        ((PRIMARY, postgres_pod("pg-b-0", "primary")), "several primaries"),
    ],
)
async def test_without_exactly_one_primary_nothing_runs(
    pods: tuple[dict[str, object], ...], reason: str
) -> None:
    postgres = await Postgres.of(cluster_with(None, *pods), RELEASE)
    with pytest.raises(PrerequisiteError, match=reason):
        await postgres.query("SELECT 1")


async def test_a_missing_permission_is_named() -> None:
    cluster = cluster_with(lambda _: output(""))
    cluster.server.programs.refusal = 403
    postgres = await Postgres.of(cluster, RELEASE)
    with pytest.raises(ApiError) as error:
        await postgres.query("SELECT 1")
    assert error.value.is_forbidden
    assert "pods/exec in namespace dev" in error.value.advice


@pytest.mark.parametrize("bodies", [(), (owned("PostgresCluster", "other", "other"),)])
async def test_a_release_without_a_database_is_refused(bodies: tuple[dict[str, object]]) -> None:
    with pytest.raises(PrerequisiteError, match="has no PostgresCluster"):
        await Postgres.of(FakeCluster(*bodies), RELEASE)


async def test_an_old_api_server_is_not_asked_to_close_the_input() -> None:
    cluster = cluster_with(output)
    cluster.server.programs.protocol = "v4.channel.k8s.io"
    postgres = await Postgres.of(cluster, RELEASE)
    assert await postgres.execute("1,2\n") == [["1", "2"]]
