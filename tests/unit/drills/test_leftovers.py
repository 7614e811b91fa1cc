"""What a killed drill leaves is found and removed by the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, owned, postgres_pod
from vrooli.databases.postgres import application
from vrooli.databases.postgres.session import Postgres
from vrooli.drills import leftovers, writer_objects, writer_program
from vrooli.drills.faults import postgres as faults
from vrooli.drills.site import Site
from vrooli.drills.writer_objects import WriterPlan
from vrooli.errors import VrooliError
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
PLAN = WriterPlan("dev", "vrooli-dev-connections", "image", (), 60.0)
OPENED = {
    "postgres": writer_objects.pool_policy("vrooli-pg"),
    "redis": writer_objects.redis_policy("vrooli-rf"),
}

pytestmark = pytest.mark.anyio


class Pods:
    """The programs of the only instance."""

    def __init__(
        self, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, *, is_full: bool
    ) -> None:
        self.is_full, self.statements = is_full, list[str]()
        cluster.server.programs.handlers["dev", "pg-a-0", "database"] = self.run
        monkeypatch.setattr(application, "execute", self.execute)

    async def execute(self, postgres: Postgres, statements: str, limit_s: float) -> None:
        """A statement of the user."""
        self.statements.append(statements)

    def run(self, program: Program) -> Completed:
        """The removal of the filler; no psql, which would be that of a superuser."""
        assert "rm -fv" in program.argv[2]
        assert faults.FILLER in program.argv
        removed, self.is_full = self.is_full, False
        return output("removed" if removed else "")


async def site_of(cluster: FakeCluster) -> Site:
    return Site(cluster, RELEASE, (), None, await Postgres.of(cluster, RELEASE), None)


def _cluster() -> FakeCluster:
    cluster = FakeCluster(owned("PostgresCluster", "vrooli-pg", RELEASE.name))
    cluster.add(postgres_pod("pg-a-0", "master"))
    return cluster


async def test_all_objects_of_a_writer_and_what_it_wrote_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster()
    pods = Pods(cluster, monkeypatch, is_full=True)
    left = writer_objects.objects(PLAN, OPENED, 0)
    cluster.add(*left)
    removed = await leftovers.remove(await site_of(cluster))
    assert len(removed) == 1 + len(left)
    assert "the file that filled the volume of pg-a-0" in removed
    assert {f"{body['kind']}/{body['metadata']['name']}" for body in left} < set(removed)
    (statements,) = pods.statements
    assert f"DROP TABLE IF EXISTS {writer_program.TABLE};" in statements
    assert all(cluster.find(body["kind"], body["metadata"]["name"]) is None for body in left)
    assert await leftovers.remove(await site_of(cluster)) == ()
    assert len(pods.statements) == 1


async def test_nothing_is_changed_where_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _cluster()
    pods = Pods(cluster, monkeypatch, is_full=False)
    assert await leftovers.remove(await site_of(cluster)) == ()
    assert pods.statements == []
    assert cluster.changes == []


async def test_objects_stay_as_the_sign_of_writes_that_could_not_be_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = _cluster()
    cluster.add(OPENED["redis"])
    Pods(cluster, monkeypatch, is_full=False)

    async def execute(*_: object) -> None:
        raise VrooliError("no connection")

    monkeypatch.setattr(application, "execute", execute)
    with pytest.raises(Exception, match="no connection"):
        await leftovers.remove(await site_of(cluster))
    assert cluster.find("NetworkPolicy", OPENED["redis"]["metadata"]["name"]) is not None


async def test_who_may_not_list_roles_has_left_none(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _cluster()
    Pods(cluster, monkeypatch, is_full=False)
    cluster.add(OPENED["redis"])
    cluster.failures.forbid("list", "Role", namespace="dev")
    removed = await leftovers.remove(await site_of(cluster))
    assert removed == (f"NetworkPolicy/{OPENED['redis']['metadata']['name']}",)
