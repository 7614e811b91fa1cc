"""Shells, psql and redis-cli in the pods of a release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, owned, pod, postgres_pod, redis_cli, redis_pod
from vrooli.cli.terminal.streams import Capture
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import silent
from vrooli.kube.execution import Completed, Program, StartError
from vrooli.workflows.clusters import access
from vrooli.workflows.sessions import programs
from vrooli.workflows.sessions.programs import SessionOptions

pytestmark = pytest.mark.anyio
DEV = ENVIRONMENTS["dev"]
OPTIONS = SessionOptions(DEV)
READ_ONLY = SessionOptions(DEV, read_only=True)


def server(name: str, created: str, *, is_ready: bool = True) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/instance": DEV.release,
        "app.kubernetes.io/component": "server",
    }
    body = pod(name, labels, is_ready=is_ready)
    body["metadata"]["creationTimestamp"] = created
    return body


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A release with two servers, two PostgreSQL instances, and Redis."""
    users = [{"name": "vrooli", "databases": ["posts", "other"]}]
    fake = FakeCluster(
        server("server-old", "2026-11-29T01:00:00Z"),
        server("server-new", "2026-11-29T02:00:00Z"),
        server("server-broken", "2026-11-29T03:00:00Z", is_ready=False),
        owned("PostgresCluster", "vrooli-pg", DEV.release, users=users),
        postgres_pod("pg-0", "replica"),
        postgres_pod("pg-1", "master"),
        owned("RedisFailover", "vrooli-rf", DEV.release),
        redis_pod("rfr-0", "redis", "10.0.0.1"),
        redis_pod("rfr-1", "redis", "10.0.0.2"),
        redis_pod("rfs-0", "sentinel", "10.0.0.3"),
        namespace=DEV.namespace,
    )
    sentinel = redis_cli(lambda words: output('["10.0.0.1","6379"]\n'))
    fake.server.programs.handlers["dev", "rfs-0", "sentinel"] = sentinel

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Any]:
        class Reached:
            kube = fake

            class cluster:  # noqa: N801
                kubeconfig = Path("kubeconfig")

        yield Reached()

    monkeypatch.setattr(access, "connect", connect)
    return fake


def handle(cluster: FakeCluster, place: tuple[str, str], completed: Completed) -> None:
    cluster.server.programs.handlers["dev", *place] = lambda program: completed


async def test_a_command_runs_in_the_newest_ready_pod(cluster: FakeCluster) -> None:
    handle(cluster, ("server-new", "server"), Completed(5, "hi\n", ""))
    result = await programs.shell(OPTIONS, "server", ["true"], None, Capture(), silent)
    assert (result.pod, result.exit_status, result.exit_code, result.ok) == (
        *("server-new", 5, 5),
        False,
    )
    assert (result.stdout, result.stderr) == ("hi\n", "")


async def test_a_named_pod_is_used_even_if_it_is_not_ready(cluster: FakeCluster) -> None:
    handle(cluster, ("server-broken", "server"), output(""))
    result = await programs.shell(OPTIONS, "server", ["true"], "server-broken", Capture(), silent)
    assert result.pod == "server-broken"


@pytest.mark.parametrize(
    ("component", "name", "reason"),
    [
        ("moon", None, "Unknown component"),
        ("server", "server-gone", "no running pod 'server-gone'"),
        ("jobs", None, "no running pod of jobs"),
    ],
)
async def test_what_does_not_exist_is_refused(
    cluster: FakeCluster, component: str, name: str | None, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        await programs.shell(OPTIONS, component, [], name, Capture(), silent)


async def test_a_container_without_a_shell_is_reported_with_a_way_in(
    cluster: FakeCluster,
) -> None:
    def refuse(program: Program) -> Completed:
        raise StartError('exec: "sh": executable file not found in $PATH')

    cluster.server.programs.handlers["dev", "server-new", "server"] = refuse
    with pytest.raises(StartError, match="has no shell") as raised:
        await programs.shell(OPTIONS, "server", [], None, Capture(), silent)
    assert "kubectl debug --stdin --tty --namespace dev server-new" in raised.value.advice


async def test_sql_runs_in_the_primary_and_is_no_argument(cluster: FakeCluster) -> None:
    handle(cluster, ("pg-1", "database"), output("1\n"))
    result = await programs.psql(READ_ONLY, "SELECT 1", None, 5, Capture(), silent)
    assert result.stdout == "1\n"
    program = cluster.server.programs.ran[-1]
    assert program.stdin == b"SELECT 1\n"
    assert "SELECT" not in " ".join(program.argv)
    assert program.argv[-2:] == [
        "posts",
        "-c statement_timeout=5s -c default_transaction_read_only=on",
    ]


async def test_psql_shows_the_environment_in_its_prompt(cluster: FakeCluster) -> None:
    handle(cluster, ("pg-1", "database"), output(""))
    await programs.psql(OPTIONS, None, "other", 5, Capture(), silent)
    argv = cluster.server.programs.ran[-1].argv
    assert "PROMPT1=[dev] %/%R%x%# " in argv
    assert argv[-1] == "other"


async def test_sql_that_takes_too_long_is_an_error(cluster: FakeCluster) -> None:
    handle(cluster, ("pg-1", "database"), Completed(124, "", ""))
    with pytest.raises(VrooliError, match="did not end within 5 s"):
        await programs.psql(OPTIONS, "SELECT 1", None, 5, Capture(), silent)


async def test_redis_cli_runs_in_the_master_and_takes_the_password_from_the_pod(
    cluster: FakeCluster,
) -> None:
    handle(cluster, ("rfr-0", "redis"), output("PONG\n"))
    result = await programs.redis_cli(OPTIONS, ["PING"], Capture(), silent)
    assert (result.pod, result.stdout) == ("rfr-0", "PONG\n")
    argv = cluster.server.programs.ran[-1].argv
    assert 'REDISCLI_AUTH="$REDIS_PASSWORD"' in argv[2]
    assert argv[-1] == "PING"


async def test_read_only_redis_is_a_replica(cluster: FakeCluster) -> None:
    handle(cluster, ("rfr-1", "redis"), output("12\n"))
    result = await programs.redis_cli(READ_ONLY, ["DBSIZE"], Capture(), silent)
    assert result.pod == "rfr-1"


async def test_read_only_redis_without_a_replica_is_refused(cluster: FakeCluster) -> None:
    await cluster.delete("v1", "Pod", "rfr-1", "dev")
    with pytest.raises(PrerequisiteError, match="no ready replica"):
        await programs.redis_cli(READ_ONLY, [], Capture(), silent)
