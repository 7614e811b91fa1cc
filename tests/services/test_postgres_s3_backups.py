"""PostgreSQL is backed up to S3 and restored from there, with the options that the chart renders.

The programs are real, and so is the one that restores beside the live data. The S3 server checks
the signature of each request. What PGO makes of a PostgresCluster is repeated here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.chart.rendering import render
from support.fakes.cluster import FakeCluster
from support.programs.ports import free_port
from support.programs.postgres_server import PostgresServer
from support.programs.s3_server import BUCKET, REGION, S3Server, running_s3
from support.release.database_pods import owned, pod
from vrooli.backups import data_directories
from vrooli.backups import repository as repositories
from vrooli.backups.info import Retention
from vrooli.backups.repository import Repository, RepositoryError
from vrooli.databases.postgres.session import Postgres
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HOST = "vrooli-pg-repo-host-0"
# The number of the repository, and its folder in the bucket.
S3, FOLDER = 2, "pgbackrest/somewhere/vrooli-pg/repo2"
BACKUP_S = 300.0
WRONG = "wrong-secret"

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Site:
    """A server whose second repository is in S3.

    Attributes:
        server: PostgreSQL and pgBackRest.
        s3: The object storage.
        settings: The rendered settings of backups.
    """

    server: PostgresServer
    s3: S3Server
    settings: Mapping[str, Any]

    async def repository(self, **environment: str) -> Repository:
        """The repositories as `vrooli` uses them, with other options of pgBackRest."""

        def run(program: Program) -> Completed:
            ended = subprocess.run(
                program.argv,
                input=program.stdin,
                env={**self.server.environment, **environment},
                user="postgres",
                cwd=self.server.folder,
                check=False,
                capture_output=True,
            )
            return Completed(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

        spec = {"backups": {"pgbackrest": self.settings}}
        postgres = owned("PostgresCluster", "vrooli-pg", RELEASE.name, **spec)
        cluster = FakeCluster(postgres, pod(HOST, {}))
        cluster.server.programs.handlers["dev", HOST, "pgbackrest"] = run
        return Repository(await Postgres.of(cluster, RELEASE))


def rendered(endpoint: str) -> dict[str, Any]:
    """The settings of pgBackRest in the PostgresCluster of a release with backups to S3."""
    place = {"bucket": BUCKET, "endpoint": endpoint, "region": REGION, "secretName": "s3-keys"}
    values = {"pgoPostgresql": {"backup": {"s3": {"enabled": True, **place}}}}
    body = render(values)["PostgresCluster/vrooli-pg"].body
    result: dict[str, Any] = body["spec"]["backups"]["pgbackrest"]
    return result


def pgo_options(settings: Mapping[str, Any]) -> dict[str, str]:
    """The options that PGO writes for repositories in S3 (internal/pgbackrest/config.go)."""
    options = dict(settings["global"])
    for repository in settings["repos"]:
        if "s3" in repository:
            name = repository["name"]
            options[f"{name}-type"] = "s3"
            options |= {f"{name}-s3-{key}": value for key, value in repository["s3"].items()}
    return options


def write_secret(s3: S3Server, folder: Path) -> None:
    """Write what PGO mounts of the Secret (k8s/README.md, Backups outside the cluster)."""
    folder.mkdir()
    shutil.copy(s3.certificate, folder / "s3-ca.crt")
    (folder / "s3.conf").write_text(
        f"[global]\nrepo2-s3-key={s3.key}\nrepo2-s3-key-secret={s3.secret}\n"
        f"repo2-cipher-pass=of-the-test\n"
        f"repo2-s3-uri-style=path\nrepo2-storage-ca-file={folder}/s3-ca.crt\n"
    )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server with a backup on its volume, and none in S3 yet."""
    if shutil.which("pgbackrest") is None:
        pytest.fail("missing: pgbackrest, `test.sh --suite services` installs it")
    folder = Path(tempfile.mkdtemp(prefix="vrooli-s3-"))
    folder.chmod(0o755)
    for name in ("objects", "server"):
        (folder / name).mkdir()
    try:
        with running_s3(folder / "objects") as s3:
            settings = rendered(s3.endpoint)
            server = PostgresServer(folder / "server", pgo_options(settings))
            write_secret(s3, server.folder / "conf.d")
            server.environment["PGBACKREST_CONFIG_INCLUDE_PATH"] = f"{server.folder}/conf.d"
            try:
                server.start()
                yield Site(server, s3, settings)
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)


async def test_data_are_restored_from_s3_to_a_moment_and_after_the_loss_of_the_volume(
    site: Site,
) -> None:
    server, repository = site.server, await site.repository()
    await repository.backup(S3, "full", BACKUP_S)
    moment = server.insert(1)
    server.insert(2)
    await repository.backup(S3, "incr", BACKUP_S)
    server.insert(3)
    server.archive()

    info = await repository.info()
    full, incremental = info.of(S3)
    assert (full.kind, incremental.kind) == ("full", "incr")
    assert incremental.full_label == full.label
    (state,) = (item for item in info.repositories if item.number == S3)
    assert (state.problem, state.encrypted) == (None, True)
    assert repository.retention(S3) == Retention(2)
    written = site.s3.written()
    assert all(path.startswith(f"{FOLDER}/") for path in written)
    assert f"{FOLDER}/backup/db/{incremental.label}/backup.manifest" in written

    program = data_directories.program()
    target = (f"--set={full.label}", "--type=time", f"--target={moment}")
    server.run("bash", "-s", "build", str(S3), "120", *target, text=program)
    restored = server.numbers(str(server.volume / "vrooli-restore"))
    assert (restored, server.numbers()) == ("1", "1 2 3")
    server.run("bash", "-s", "discard", "new", text=program)

    server.stop()
    wal = f"{server.data}_wal"
    for lost in (server.data, Path(wal), server.folder / "repo"):
        shutil.rmtree(lost)
    argv = ("--stanza=db", f"--repo={S3}", f"--link-map=pg_wal={wal}", "restore")
    server.run("pgbackrest", *argv)
    server.serve()
    assert server.numbers() == "1 2 3"


async def test_the_dump_of_a_point_is_stored_encrypted_in_s3(site: Site) -> None:
    repository, data, folder = await site.repository(), bytes(range(256)) * 100, "vrooli/points/a"
    await repository.put(S3, f"{folder}/redis.rdb.000", data)
    assert await repository.get(S3, f"{folder}/redis.rdb.000") == data
    raw = f"pgbackrest --repo={S3} --raw repo-get {folder}/redis.rdb.000 | head -c 8"
    assert site.server.run("sh", "-c", raw) == "Salted__"
    (size,) = (await repository.sizes(S3, folder)).values()
    assert size > len(data)
    await repository.remove(S3, folder)
    assert await repository.sizes(S3, folder) == {}
    with pytest.raises(RepositoryError, match="unable to open missing file"):
        await repository.get(S3, f"{folder}/redis.rdb.000")


async def test_a_wrong_key_is_reported_as_the_storage_reports_it(site: Site) -> None:
    repository = await site.repository(PGBACKREST_REPO2_S3_KEY_SECRET=WRONG)
    (state,) = (item for item in (await repository.info()).repositories if item.number == S3)
    reason = (
        "HTTP request failed with 403 (FORBIDDEN): SignatureDoesNotMatch: The request signature"
    )
    assert state.problem is not None
    assert state.problem.reason.startswith(f"[ProtocolError] {reason}")
    with pytest.raises(RepositoryError) as error:
        await repository.backup(S3, "incr", BACKUP_S)
    assert reason in error.value.message
    for text in (state.problem.reason, error.value.message):
        assert "***" not in text
        assert WRONG not in text


async def test_the_volume_is_listed_while_s3_is_unreachable(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "ANSWER_S", 1.0)
    port = str(free_port())
    repository = await site.repository(
        PGBACKREST_REPO2_STORAGE_HOST="localhost", PGBACKREST_REPO2_STORAGE_PORT=port
    )
    states = {item.number: item.problem for item in (await repository.info()).repositories}
    assert set(states) == {1, S3}
    problem = states[S3]
    assert problem is not None
    refused = "[HostConnectError] unable to connect to 'localhost:{}': [111] Connection refused"
    assert problem.reason == refused.format(port)
