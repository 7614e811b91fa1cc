"""A restored copy of a release's PostgreSQL, and what ends a restore."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import output, owned, pod, postgres_pod, psql
from support.release.repository import FakeRepository, backup
from vrooli.backups import contents, copies, outages, space
from vrooli.backups.clones import Place
from vrooli.backups.contents import Contents
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import copy as workflow
from vrooli.workflows.restores.copy import RestoreOptions, parse_place
from vrooli.workflows.safeguards.consent import Consent

DEV, PROD = ENVIRONMENTS["dev"], ENVIRONMENTS["prod"]
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
PGBACKREST = {"repos": [{"name": "repo1", "volume": {}}], "global": {}}
SPEC = {"instances": [{"name": "instance1", "replicas": 1}], "backups": {"pgbackrest": PGBACKREST}}
HOST = "vrooli-pg-repo-host-0"
WAL = "00000001000000000000000E"
NO_CLASSES = (
    'storageclasses.storage.k8s.io is forbidden: User "anna" cannot list resource "storageclasses" '
    'in API group "storage.k8s.io" at the cluster scope'
)

pytestmark = pytest.mark.anyio


def _answer(text: str) -> Completed:
    """Answer as a PostgreSQL with one table of two rows; the clock shows 14:30."""
    rows: list[dict[str, Any]] = []
    if "clock_timestamp" in text:
        rows = [{"time": "2026-11-29T14:30:00+00:00"}]
    elif "last_archived_time" in text:
        time = "2026-11-29T14:29:00+00:00"
        rows = [{"wal": WAL, "time": time, "failed": None, "is_failing": False}]
    elif "pg_current_wal_lsn" in text:
        rows = [{"wal": WAL}]
    elif "pg_control_checkpoint" in text:
        rows = [{"timeline": 1, "history": None}]
    elif "pg_database" in text:
        rows = [{"name": "vrooli"}]
    elif "gexec" in text:
        return output("public.posts,2\n")
    return output("".join(json.dumps(row) + "\n" for row in rows))


def _primary(program: Program) -> Completed:
    return (
        output("/dev/vda 999999999999 9 99999999999 9% /pgdata\n")
        if "df " in program.argv[2]
        else psql(_answer)(program)
    )


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A release with one backup, in a cluster whose operator restores at once."""
    fake = FakeCluster(
        namespace("dev"),
        owned("PostgresCluster", "vrooli-pg", RELEASE.name, **SPEC),
        postgres_pod("pg-a-0", "master"),
        pod(HOST, {}),
    )
    repository = FakeRepository([backup("20261129-094420F")])
    fake.server.programs.handlers["dev", "pg-a-0", "database"] = _primary
    fake.server.programs.handlers["dev", HOST, "pgbackrest"] = repository.run

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), fake)

    async def build(kube: FakeCluster, body: dict[str, Any], *_: object) -> Postgres:
        await kube.apply(body)
        return await Postgres.of(kube, RELEASE)

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(copies, "build", build)
    return fake


async def test_a_copy_is_compared_with_the_live_data(cluster: FakeCluster) -> None:
    options = RestoreOptions(DEV, to="14:05", into="inspection")
    result = await workflow.restore(options, silent)
    assert (result.namespace, result.cluster) == ("inspection", "vrooli-dev-copy")
    (table,) = result.tables
    assert (table.table, table.restored_rows, table.live_rows) == ("vrooli: public.posts", 2, 2)
    assert cluster.find("PostgresCluster", "vrooli-dev-copy", "inspection") is not None


async def test_a_copy_is_kept_if_the_live_data_cannot_be_read(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(_: Postgres) -> Contents:
        if fetched:
            raise PrerequisiteError("PostgreSQL vrooli-pg has no primary.")
        fetched.append(True)
        return Contents({"vrooli: public.posts": 2}, {"vrooli: public.posts": "id"})

    fetched: list[bool] = []
    monkeypatch.setattr(contents, "fetch", fetch)
    result = await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    reason = "the live data could not be compared: PostgreSQL vrooli-pg has no primary."
    assert result.differences == (reason,)
    assert cluster.find("PostgresCluster", "vrooli-dev-copy", "inspection") is not None


@pytest.mark.parametrize("has_pod", [True, False])
async def test_a_copy_of_the_latest_data_needs_no_postgresql_that_answers(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, has_pod: bool
) -> None:
    built: list[dict[str, Any]] = []

    async def build(kube: FakeCluster, body: dict[str, Any], *_: object) -> Postgres:
        built.append(body)
        await kube.apply(body)
        return await Postgres.of(kube, RELEASE)

    monkeypatch.setattr(copies, "build", build)
    await cluster.delete("v1", "Pod", "pg-a-0", "dev")
    if has_pod:
        cluster.add(postgres_pod("pg-a-0", "replica", is_ready=False))
        cluster.server.programs.handlers["dev", "pg-a-0", "database"] = _down
    options = RestoreOptions(DEV, to="latest", into="inspection")
    result = await workflow.restore(options, silent)
    (body,) = built
    source = body["spec"]["dataSource"]["postgresCluster"]
    assert source["options"] == ["--set=20261129-094420F", "--type=default"]
    assert result.moment is None
    assert result.differences[0] == outages.NOT_ARCHIVED
    assert "could not be compared" in result.differences[1]


def _down(program: Program) -> Completed:
    """A pod whose PostgreSQL does not start."""
    script = program.argv[2]
    if "bash -s" in script:
        return output("1 0/5000028\n")
    if "df " in script:
        return _primary(program)
    return Completed(2, "", "psql: error: connection to server on socket failed")


async def test_the_free_space_is_read_without_a_primary(cluster: FakeCluster) -> None:
    cluster.add(postgres_pod("pg-a-0", "replica", is_ready=False))
    postgres = await Postgres.of(cluster, RELEASE)
    assert await space._free(postgres, ["pg-a-0"]) == 99999999999


async def test_a_failed_removal_does_not_replace_the_reason(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def build(*_: object) -> Postgres:
        raise VrooliError("recovery ended before its target")

    async def remove(*_: object) -> bool:
        if removals:
            raise VrooliError("it was not deleted within 120 s")
        removals.append(True)
        return False

    removals: list[bool] = []
    monkeypatch.setattr(copies, "build", build)
    monkeypatch.setattr(copies, "remove", remove)
    with pytest.raises(VrooliError, match="recovery ended") as failure:
        await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert "it was not deleted" in failure.value.advice


async def test_the_repository_is_closed_again(cluster: FakeCluster) -> None:
    await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    name = "vrooli-pg-restore-vrooli-dev-copy"
    changes = [change for change in cluster.changes if change[2] == name]
    assert [verb for verb, _, _ in changes] == ["apply", "apply", "delete", "delete"]
    assert not [key for key in cluster.server.objects if key[2] == name]


async def test_a_copy_is_closed_before_it_is_built(cluster: FakeCluster) -> None:
    cluster.add(namespace("dev", labels={"pod-security.kubernetes.io/enforce": "restricted"}))
    await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    applied = [(kind, name) for verb, kind, name in cluster.changes if verb == "apply"]
    assert applied[:3] == [
        ("Namespace", "inspection"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "vrooli-dev-copy-postgres"),
    ]
    labels = cluster.body("Namespace", "inspection")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


async def test_a_namespace_of_others_is_not_changed(cluster: FakeCluster) -> None:
    cluster.add(namespace("inspection"))
    await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert ("apply", "Namespace", "inspection") not in cluster.changes
    assert cluster.find("NetworkPolicy", "default-deny", "inspection") is None
    assert cluster.find("NetworkPolicy", "vrooli-dev-copy-postgres", "inspection") is not None


async def test_the_policy_of_a_copy_is_removed_with_it(cluster: FakeCluster) -> None:
    await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    await copies.remove(cluster, Place("vrooli-dev-copy", "inspection"), Progress())
    assert cluster.find("NetworkPolicy", "vrooli-dev-copy-postgres", "inspection") is None


async def test_a_failed_restore_leaves_nothing_that_blocks_the_next(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = []

    async def build(kube: FakeCluster, body: dict[str, Any], *_: object) -> Postgres:
        raise VrooliError("recovery ended before configured recovery target was reached")

    async def remove(*arguments: object) -> bool:
        removed.append(arguments[1])
        return True

    monkeypatch.setattr(copies, "build", build)
    monkeypatch.setattr(copies, "remove", remove)
    with pytest.raises(VrooliError, match="recovery ended"):
        await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert [str(place) for place in removed] == ["inspection/vrooli-dev-copy"] * 2
    assert not [key for key in cluster.server.objects if key[:2] == ("NetworkPolicy", "dev")]


@pytest.mark.parametrize(("to", "reason"), [("14:31", "future"), ("2026-11-28", "before the end")])
async def test_a_moment_out_of_range_changes_nothing(
    cluster: FakeCluster, to: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        await workflow.restore(RestoreOptions(DEV, to=to, into="inspection"), silent)
    assert cluster.changes == []


async def test_a_cluster_that_is_no_copy_is_not_replaced(cluster: FakeCluster) -> None:
    other = owned("PostgresCluster", "vrooli-dev-copy", "other")
    other["metadata"]["namespace"] = "inspection"
    cluster.add(other)
    with pytest.raises(PrerequisiteError, match="is not a restored copy"):
        await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert cluster.changes == []


def _nearly_full(program: Program) -> Completed:
    """Answer as a PostgreSQL whose disk is nearly full."""
    if "df " in program.argv[2]:
        return output("/dev/vda 9000 8000 1000 89% /pgdata\n")
    return psql(_answer)(program)


async def test_a_disk_without_room_is_reported_in_bytes(cluster: FakeCluster) -> None:
    labels = {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"}
    claim = {"metadata": {"name": "data", "labels": labels}, "spec": {"storageClassName": "local"}}
    provisioner = {"metadata": {"name": "local"}, "provisioner": "rancher.io/local-path"}
    cluster.add({"kind": "PersistentVolumeClaim", **claim}, {"kind": "StorageClass", **provisioner})
    cluster.server.programs.handlers["dev", "pg-a-0", "database"] = _nearly_full
    with pytest.raises(PrerequisiteError, match=r"takes up to \d+ bytes .*, 1000 bytes"):
        await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert cluster.changes == []


async def test_storage_classes_need_not_be_readable_if_there_is_room(cluster: FakeCluster) -> None:
    cluster.failures.forbid("list", "StorageClass", message=NO_CLASSES)
    result = await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert result.namespace == "inspection"


async def test_without_room_the_permission_that_would_decide_is_named(cluster: FakeCluster) -> None:
    cluster.failures.forbid("list", "StorageClass", message=NO_CLASSES)
    cluster.server.programs.handlers["dev", "pg-a-0", "database"] = _nearly_full
    with pytest.raises(PrerequisiteError, match="1000 bytes") as error:
        await workflow.restore(RestoreOptions(DEV, to="14:05", into="inspection"), silent)
    assert "permission to list storageclasses in the whole cluster" in error.value.advice
    assert cluster.changes == []


async def test_a_copy_of_a_shared_environment_is_confirmed(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow.Release, "of", lambda *_: RELEASE)
    prompts: list[str] = []

    def decline(prompt: str) -> bool:
        prompts.append(prompt)
        return False

    options = RestoreOptions(PROD, to="14:05", into="inspection")
    with pytest.raises(InterruptError):
        await workflow.restore(options, silent, Consent(ask=decline))
    assert "inspection/vrooli-dev-copy" in prompts[0]
    assert "2026-11-29 14:05:00Z" in prompts[0]
    assert cluster.changes == []


@pytest.mark.parametrize(("to", "point"), [("", ""), ("14:05", "x")])
def test_a_restore_has_one_target(to: str, point: str) -> None:
    with pytest.raises(UsageError, match="one target"):
        RestoreOptions(DEV, to, point, into="x")


def test_a_place_is_a_namespace_and_a_name() -> None:
    assert str(parse_place("inspection/a", RELEASE)) == "inspection/a"
    assert str(parse_place("inspection", RELEASE)) == "inspection/vrooli-dev-copy"


@pytest.mark.parametrize(
    "text", ["", "/a", "a/", "A", "a/b/c", "a b", "dev", "dev/x", "x/" + "a" * 41]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_place(text, RELEASE)
