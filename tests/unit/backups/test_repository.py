"""pgBackRest in the pod of the repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import owned, pod
from support.release.repository import FakeRepository, backup
from vrooli.backups.info import Retention
from vrooli.backups.repository import Repository, RepositoryError
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError
from vrooli.kube.execution import Completed
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
SETTINGS = {
    "pgbackrest": {
        "global": {"repo1-retention-full": "2"},
        "repos": [{"name": "repo1", "schedules": {"full": "0 3 * * 0"}}, {"name": "repo2"}],
    }
}
CLUSTER = owned("PostgresCluster", "vrooli-pg", RELEASE.name, backups=SETTINGS)
HOST = "vrooli-pg-repo-host-0"

pytestmark = pytest.mark.anyio


async def _repository(fake: FakeRepository, *, is_ready: bool = True) -> Repository:
    cluster = FakeCluster(CLUSTER, pod(HOST, {}, is_ready=is_ready))
    cluster.server.programs.handlers["dev", HOST, "pgbackrest"] = fake.run
    return Repository(await Postgres.of(cluster, RELEASE))


async def test_a_file_is_read_as_it_was_stored() -> None:
    repository = await _repository(FakeRepository())
    data = bytes(range(256)) * 1000
    await repository.put(1, "vrooli/a/redis.rdb.000", data)
    assert await repository.get(1, "vrooli/a/redis.rdb.000") == data
    assert await repository.sizes(1, "vrooli") == {"a/redis.rdb.000": len(data)}
    await repository.remove(1, "vrooli/a")
    assert await repository.sizes(1, "vrooli") == {}


async def test_a_backup_starts_at_once_in_the_named_repository() -> None:
    fake = FakeRepository()
    await (await _repository(fake)).backup(2, "diff", 60)
    assert fake.commands == [["backup", "--stanza=db", "--repo=2", "--type=diff", "--start-fast"]]


async def test_a_running_backup_is_reported_as_such() -> None:
    fake = FakeRepository(failure=Completed(50, "", "ERROR: [050]: unable to acquire lock"))
    with pytest.raises(PrerequisiteError, match="Another backup of vrooli-pg is running"):
        await (await _repository(fake)).backup(1, "incr", 60)


async def test_a_failed_backup_reports_the_reason_alone() -> None:
    log = (
        "WARN: option 'x' is ignored\n"
        "ERROR: [028]: backup and archive info files exist but do not match the database\n"
        "       HINT: is this the correct stanza?\n"
    )
    fake = FakeRepository(failure=Completed(28, "", log))
    with pytest.raises(RepositoryError) as error:
        await (await _repository(fake)).backup(1, "incr", 60)
    assert error.value.message == (
        "pgBackRest could not run `backup`: backup and archive info files exist but do not match "
        "the database HINT: is this the correct stanza?"
    )


async def test_a_backup_to_the_repository_of_another_postgresql_has_advice() -> None:
    log = (
        "ERROR: [051]: PostgreSQL version 15, system-id 7714021858065194650 do not match stanza "
        "version 15, system-id 7714021848414166636\n       HINT: is this the correct stanza?\n"
    )
    fake = FakeRepository(failure=Completed(51, "", log))
    with pytest.raises(RepositoryError) as error:
        await (await _repository(fake)).backup(1, "incr", 60)
    assert "restore a copy of one" in error.value.advice


async def test_a_backup_that_was_killed_is_reported_without_its_warnings() -> None:
    fake = FakeRepository(failure=Completed(137, "", "WARN: a timeline switch has occurred\n"))
    with pytest.raises(RepositoryError, match="exit code 137; its container may") as error:
        await (await _repository(fake)).backup(1, "incr", 60)
    assert "timeline" not in error.value.message


async def test_retention_and_schedule_are_those_of_the_resource() -> None:
    repository = await _repository(FakeRepository([backup("20261129-094420F")]))
    assert (repository.retention(1), repository.retention(2)) == (Retention(2), None)
    settings = repository.postgres.body["spec"]["backups"]["pgbackrest"]["global"]
    days = {**settings, "repo1-retention-full-type": "time"}
    repository.postgres.body["spec"]["backups"]["pgbackrest"]["global"] = days
    assert repository.retention(1) == Retention(2, is_in_days=True)
    assert (repository.schedule(1), repository.schedule(2)) == ("0 3 * * 0", "")


async def test_a_pod_that_is_not_ready_is_reported_before_anything_runs() -> None:
    fake = FakeRepository()
    with pytest.raises(PrerequisiteError, match="dev/vrooli-pg-repo-host-0, is not ready"):
        await (await _repository(fake, is_ready=False)).check()
    assert fake.commands == []


async def test_a_refused_request_is_reported_with_the_answer_of_the_storage() -> None:
    log = (
        "ERROR: [039]: HTTP request failed with 403 (Forbidden):\n"
        "       *** Path/Query ***:\n       GET /bucket/?prefix=x\n"
        "       *** Request Headers ***:\n       authorization: <redacted>\n"
        "       *** Response Content ***:\n       <Error><Code>AccessDenied</Code>"
        "<Message>Access\n denied.</Message></Error>\n"
    )
    fake = FakeRepository(failure=Completed(39, "", log))
    with pytest.raises(RepositoryError) as error:
        await (await _repository(fake)).backup(2, "incr", 60)
    assert error.value.message == (
        "pgBackRest could not run `backup`: HTTP request failed with 403 (Forbidden): "
        "AccessDenied: Access denied"
    )
