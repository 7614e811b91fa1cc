"""PostgreSQL is restored beside its live data, exchanged and brought back, by real servers.

The program is the one that runs in a pod; pgBackRest has its repository in a folder. Patroni is
missing: the program finds none to freeze.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from support.programs.backend import POSTGRES_BIN
from support.programs.processes import wait_until
from vrooli.backups import pod_programs

SCRIPT = resources.files(pod_programs).joinpath("postgres_restore.sh").read_text("utf-8")
PORT = "5999"
SETTINGS = """
archive_mode=on
archive_command='pgbackrest --stanza=db archive-push "%p"'
restore_command='pgbackrest --stanza=db archive-get %f "%p"'
listen_addresses=''
fsync=off
"""
# Kills the program at the rename of this number.
KILL_AT = """count=0
mv() {{
  count=$((count + 1))
  if [ -e "$root/exchanging" ] && [ "$count" -eq {step} ]; then kill -9 $$; fi
  command mv "$@"
}}
exchange() {{ # FROM TO"""
# The renames of an exchange, after the one of `build`'s program, which is another process.
RENAMES = (1, 2, 3, 4)


class Server:
    """A PostgreSQL as PGO lays it out, its repository, and the program.

    Attributes:
        volume: The folder of its volume.
        data: The data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.volume = folder, folder / "pgdata"
        self.data = self.volume / "pg15"
        self.label = ""
        self.processes: list[subprocess.Popen[bytes]] = []
        for name in ("pgdata", "repo", "sock", "log", "spool"):
            (folder / name).mkdir()
        (folder / "pgbackrest.conf").write_text(
            f"[global]\nrepo1-path={folder}/repo\nrepo1-retention-full=2\nlog-path={folder}/log\n"
            f"lock-path={folder}/lock\narchive-async=y\nspool-path={folder}/spool\nstart-fast=y\n"
            f"[db]\npg1-path={self.data}\npg1-port={PORT}\npg1-socket-path={folder}/sock\n"
        )
        self.environment = {
            "PATH": f"{POSTGRES_BIN}:{os.environ['PATH']}",
            "PGBACKREST_CONFIG": str(folder / "pgbackrest.conf"),
            "PGDATA": str(self.data),
            "PGHOST": str(folder / "sock"),
            "PGPORT": PORT,
        }
        shutil.chown(folder, "postgres")
        for path in folder.iterdir():
            shutil.chown(path, "postgres")

    def start(self) -> None:
        """Create the data, the repository and one backup."""
        wal = f"--waldir={self.data}_wal"
        self.run("initdb", "-D", str(self.data), wal, "--auth=trust", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"{SETTINGS}unix_socket_directories='{self.folder}/sock'\nport={PORT}\n")
        self.serve()
        self.run("pgbackrest", "--stanza=db", "stanza-create")
        self.sql("CREATE TABLE t (n int)")
        self.sql("CREATE ROLE app LOGIN PASSWORD 'before'")
        self.label = self.back_up("full")

    def serve(self) -> None:
        """Start the server, as Patroni does, and wait for it."""
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                ["postgres", "-D", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                user="postgres",
                cwd=self.folder,
                start_new_session=True,
            )
        self.processes.append(process)
        wait_until(self.answers, 60, "PostgreSQL answers")

    def answers(self) -> bool:
        """Whether the live server answers."""
        try:
            return self.sql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def stop(self) -> None:
        """Stop all servers."""
        for data in (self.data, *self.volume.glob("vrooli-restore/*/data")):
            argv = ["pg_ctl", "stop", "-D", str(data), "-m", "immediate"]
            self.run(*argv, check=False)
        for process in self.processes:
            process.wait(60)

    def run(self, *argv: str, text: str = "", check: bool = True) -> str:
        """Run a program as the user of the server."""
        ended = subprocess.run(
            argv,
            input=text,
            env=self.environment,
            user="postgres",
            cwd=self.folder,
            check=check,
            capture_output=True,
            text=True,
        )
        return (ended.stdout if check else ended.stdout + ended.stderr).strip()

    def sql(self, statement: str, host: str = "") -> str:
        """Run a statement in the live server, or in the one beside it."""
        beside = ["-h", host] if host else []
        return self.run("psql", "-X", "-q", "-A", "-t", *beside, "-d", "postgres", "-c", statement)

    def back_up(self, kind: str) -> str:
        """Make a backup; returns its label."""
        self.run("pgbackrest", "--stanza=db", f"--type={kind}", "backup")
        return sorted(path.name for path in (self.folder / "repo/backup/db").glob("2*"))[-1]

    def insert(self, number: int) -> str:
        """Insert a row; returns a moment after it."""
        self.sql(f"INSERT INTO t VALUES ({number})")
        return self.sql("SELECT clock_timestamp()")

    def numbers(self, host: str = "") -> str:
        """The numbers in the table."""
        return self.sql("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') FROM t", host)

    def archive(self) -> None:
        """Archive the WAL up to now."""
        wal = self.sql("SELECT pg_walfile_name(pg_switch_wal())")
        query = f"SELECT last_archived_wal >= '{wal}' FROM pg_stat_archiver"
        wait_until(lambda: self.sql(query) == "t", 60, "the WAL is archived")

    def program(self, verb: str, *arguments: str, script: str = SCRIPT) -> str:
        """Run the program of the pod."""
        return self.run("bash", "-s", verb, *arguments, text=script)

    def build(self, moment: str) -> None:
        """Restore a moment beside the live data."""
        self.program("build", *self.to(moment))

    def to(self, moment: str) -> tuple[str, ...]:
        """The arguments that restore a moment from the first backup."""
        return ("1", "120", f"--set={self.label}", "--type=time", f"--target={moment}")

    @property
    def beside(self) -> str:
        """The socket of the server beside the live one."""
        return str(self.volume / "vrooli-restore")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with one backup."""
    if shutil.which("pgbackrest") is None:
        pytest.fail("missing: pgbackrest, `test.sh --suite services` installs it")
    folder = Path(tempfile.mkdtemp(prefix="vrooli-restore-"))
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_a_moment_is_restored_undone_and_restored_again(server: Server) -> None:
    moment = server.insert(1)
    server.insert(2)
    server.sql("ALTER ROLE app PASSWORD 'after'")
    server.archive()
    password = server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'")
    server.build(moment)
    assert (server.numbers(server.beside), server.numbers()) == ("1", "1 2")
    assert server.program("state") == "new"

    server.program("prepare")
    assert server.program("switch").startswith("switched ")
    assert (server.numbers(), server.program("state")) == ("1", "old")
    # The present password, with which all pods log in, not the one of the moment.
    assert server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'") == password
    server.insert(3)
    abandoned = server.back_up("incr")
    server.sql("SELECT pg_create_restore_point('vrooli-abandoned')")
    server.archive()

    server.program("prepare-undo")
    server.program("undo")
    assert server.numbers() == "1 2"
    server.program("discard")
    assert server.program("state") == ""
    # Each exchange begins a newer timeline than all that are archived, which replicas follow.
    assert server.sql("SELECT timeline_id FROM pg_control_checkpoint()") == "3"
    server.insert(4)
    server.archive()

    point = ("--type=name", "--target=vrooli-abandoned", "--target-timeline=current")
    server.program("build", "1", "120", f"--set={abandoned}", *point)
    assert server.numbers(server.beside) == "1 3"
    server.build(moment)
    server.program("switch")
    server.program("finish")
    assert (server.numbers(), server.program("state")) == ("1", "")
    assert not Path(server.beside).exists()


def test_a_failed_restore_has_a_reason_and_changes_nothing(server: Server) -> None:
    server.insert(1)
    server.archive()
    argv = ("bash", "-s", "build", *server.to("2030-01-01 00:00:00+00"))
    reason = "recovery ended before configured recovery target was reached"
    assert server.run(*argv, text=SCRIPT, check=False).endswith(reason)
    assert server.numbers() == "1"
    server.program("discard")
    assert server.program("state") == ""


def test_a_restore_that_was_killed_is_started_again(server: Server) -> None:
    moment = server.insert(1)
    server.insert(2)
    server.archive()
    argv = ["bash", "-s", "build", *server.to(moment)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, env=server.environment, user="postgres", text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(SCRIPT)
        process.stdin.close()
        folder = server.volume / "vrooli-restore/new/data"
        wait_until(folder.exists, 60, "pgBackRest has started")
        process.send_signal(signal.SIGKILL)
    assert server.numbers() == "1 2"
    server.build(moment)
    assert server.numbers(server.beside) == "1"


@pytest.mark.long
@pytest.mark.parametrize("step", RENAMES)
def test_an_exchange_that_was_killed_is_completed(server: Server, step: int) -> None:
    moment = server.insert(1)
    server.insert(2)
    server.archive()
    server.build(moment)
    server.program("prepare")
    killed = SCRIPT.replace("exchange() { # FROM TO", KILL_AT.format(step=step))
    with pytest.raises(subprocess.CalledProcessError):
        server.program("switch", script=killed)
    assert "exchanging" in server.program("state")
    server.program("switch")
    if not server.answers():  # in a pod, Patroni starts it
        server.serve()
    assert (server.numbers(), server.program("state")) == ("1", "old")
    server.program("prepare-undo")
    server.program("undo")
    assert server.numbers() == "1 2"
