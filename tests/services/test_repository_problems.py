"""Repositories that cannot be used, by a real pgBackRest: what commands report, and what to do.

A passphrase that is not the one of the repository, none at all, and a repository with the backups
of another PostgreSQL. The pod of the repository is a process here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.programs.backend import POSTGRES_BIN
from support.release.database_pods import owned, pod
from support.release.records import helm_secret, record
from vrooli.backups import listing
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import silent
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release
from vrooli.workflows.backups import backup as workflow
from vrooli.workflows.backups.run import BackupOptions
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import copy as restore_workflow
from vrooli.workflows.restores import steps as restore_steps
from vrooli.workflows.restores.copy import RestoreOptions

DEV = ENVIRONMENTS["dev"]
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HOST = "vrooli-pg-repo-host-0"
PASSPHRASE = "of-the-creation"
# Each decrypts to other random bytes; most have control characters, which JSON does not allow.
OTHERS = tuple(f"other-{number}" for number in range(8))
UNDECRYPTED = "it cannot be decrypted: the passphrase is not the one with which it was created"
POINT = "20261129-140501"

pytestmark = pytest.mark.anyio


class Host:
    """An encrypted repository with one backup, and a PostgreSQL that has no part in it.

    Attributes:
        label: The label of the backup.
        cluster: A release with this repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "repo").mkdir()
        for path in (folder, folder / "repo"):
            shutil.chown(path, "postgres")
        for name in ("own", "other"):
            self.run(str(POSTGRES_BIN / "initdb"), "-D", name, "--auth=trust", "--no-sync")
        self.configure()
        self.pgbackrest("stanza-create", "--no-online")
        self.pgbackrest("backup", "--no-online", "--type=full")
        (path,) = (folder / "repo/backup/db").glob("2*F")
        self.label = path.name
        self.use("own")

    def configure(self, data: str = "own", passphrase: str = PASSPHRASE) -> None:
        """Write pgBackRest's configuration, as PGO and the Secret of the values do."""
        encryption = f"repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass={passphrase}\n"
        self.folder.joinpath("pgbackrest.conf").write_text(
            f"[global]\nrepo1-path={self.folder}/repo\nrepo1-retention-full=2\n"
            f"{encryption if passphrase else ''}"
            f"log-path={self.folder}\nlock-path={self.folder}/lock\n"
            f"[db]\npg1-path={self.folder}/{data}\n"
        )

    def use(self, data: str) -> None:
        """Make a PostgreSQL that of the release."""
        self.configure(data)
        body = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
        body["status"] = {"patroni": {"systemIdentifier": self.system(data)}}
        secret = helm_secret(RELEASE, record())
        self.cluster = FakeCluster(namespace("dev"), body, pod(HOST, {}), secret)
        self.cluster.server.programs.handlers["dev", HOST, "pgbackrest"] = self.in_pod

    def system(self, data: str) -> str:
        """The system identifier of a PostgreSQL."""
        output = self.run(str(POSTGRES_BIN / "pg_controldata"), "-D", data)
        (identifier,) = re.findall(r"system identifier: +(\d+)", output)
        return str(identifier)

    def run(self, *argv: str) -> str:
        """Run a program as the user of the server."""
        ended = self._start(argv, b"")
        assert not ended.returncode, ended.stdout + ended.stderr
        return ended.stdout.decode(errors="replace")

    def pgbackrest(self, *argv: str) -> str:
        """Run pgBackRest."""
        return self.run("pgbackrest", "--stanza=db", *argv)

    def in_pod(self, program: Program) -> Completed:
        """Run a program of the pod."""
        ended = self._start(program.argv, program.stdin)
        output, error = (item.decode(errors="replace") for item in (ended.stdout, ended.stderr))
        return Completed(ended.returncode, output, error)

    def _start(self, argv: Any, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        config = str(self.folder / "pgbackrest.conf")
        return subprocess.run(
            list(argv),
            input=stdin,
            env={"PATH": os.environ["PATH"], "PGBACKREST_CONFIG": config},
            user="postgres",
            cwd=self.folder,
            check=False,
            capture_output=True,
        )


@pytest.fixture(scope="module")
def created() -> Iterator[Host]:
    """A repository, for all tests here: none changes it."""
    if shutil.which("pgbackrest") is None:
        pytest.fail("missing: pgbackrest, `test.sh --suite services` installs it")
    with tempfile.TemporaryDirectory(prefix="vrooli-repository-") as folder:
        yield Host(Path(folder))


@pytest.fixture
def host(created: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """The repository of a release."""

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), created.cluster)

    monkeypatch.setattr(access, "connect", connect)
    created.use("own")
    return created


async def _refusals() -> list[VrooliError]:
    """What a backup, and a restore of a point, are refused with."""
    copy = RestoreOptions(DEV, point=POINT, into="inspection")
    refusals = []
    for act in (
        workflow.backup(BackupOptions(DEV), silent),
        restore_workflow.restore(copy, silent),
    ):
        with pytest.raises(VrooliError) as refused:
            await act
        refusals.append(refused.value)
    return refusals


async def test_the_repository_of_the_release_has_no_problem(host: Host) -> None:
    listed = await workflow.backups(DEV, None, silent)
    assert [item.label for item in listed.backups] == [host.label]
    (state,) = listed.ranges
    assert (state.problem, state.advice, state.encrypted) == ("", "", True)


async def test_a_wrong_passphrase_is_named_and_advice_is_given(host: Host) -> None:
    for passphrase in OTHERS:
        host.configure(passphrase=passphrase)
        listed = await workflow.backups(DEV, None, silent)
        (state,) = listed.ranges
        assert state.problem.startswith(UNDECRYPTED)
        assert "Put the passphrase of its creation back as repo1-cipher-pass" in state.advice
        assert listed.backups == ()
        assert state.problem.isprintable()
    for refused in await _refusals():
        assert refused.message.startswith(f"Backup repository 1 cannot be used: {UNDECRYPTED}")
        assert refused.message.endswith("Nothing was changed.")
        assert refused.advice == state.advice


async def test_a_missing_passphrase_is_named(host: Host) -> None:
    host.configure(passphrase="")
    (state,) = (await workflow.backups(DEV, None, silent)).ranges
    assert state.problem == "it is encrypted, but the release has no passphrase for it"
    for refused in await _refusals():
        assert state.problem in refused.message
        assert "Set `encrypted: true`" in refused.advice


async def test_the_backups_of_another_postgresql_are_named(host: Host) -> None:
    host.use("other")
    listed = await workflow.backups(DEV, None, silent)
    (state,) = listed.ranges
    assert state.problem == (
        "it has the backups of another PostgreSQL, with the system identifier "
        f"{host.system('own')}; that of vrooli-pg is {host.system('other')}"
    )
    with pytest.raises(VrooliError) as refused:
        await workflow.backup(BackupOptions(DEV), silent)
    assert state.problem in refused.value.message
    assert "restore a copy of one" in refused.value.advice


async def test_pgbackrest_refuses_a_backup_of_another_postgresql(host: Host) -> None:
    """The reason for the check: pgBackRest reports such a repository as usable, and fails later."""
    host.use("other")
    assert '"status":{"code":0' in host.pgbackrest("info", "--output=json")
    failed = host.in_pod(
        Program("dev", HOST, "pgbackrest", ["pgbackrest", "--stanza=db", "backup", "--no-online"])
    )
    assert failed.exit_code == 51


async def test_a_copy_of_a_backup_of_another_postgresql_can_be_restored(host: Host) -> None:
    host.use("other")
    listed = await listing.fetch(host.cluster, RELEASE)
    recovery = await restore_steps.fetch_recovery(listed, "", host.label, None, foreign=True)
    host.pgbackrest("restore", f"--set={recovery.backup.label}", f"--pg1-path={host.folder}/copy")
    assert host.system("copy") == host.system("own")
    with pytest.raises(VrooliError, match="has the backups of another PostgreSQL"):
        await restore_steps.fetch_recovery(listed, "", host.label, None)
