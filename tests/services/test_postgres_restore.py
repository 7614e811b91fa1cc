"""PostgreSQL is restored beside its live data, exchanged and brought back, by real servers.

The program is the one that runs in a pod; pgBackRest has its repository in a folder. Patroni is
missing: a process that sleeps has its name where it matters that it is stopped and goes on.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.programs.postgres_server import PostgresServer
from support.programs.processes import PATIENCE_S, wait_until
from vrooli.backups import data_directories

SCRIPT = data_directories.program()
# With time for a busy machine, where a test is not about the time for which Patroni is stopped.
PATIENT = SCRIPT.replace("freeze_ms=10000", "freeze_ms=120000")
assert PATIENT != SCRIPT
# A fast shutdown that ends just after its limit.
LATE = """
pg_ctl() {
  command pg_ctl "$@" || return
  case "$*" in *"-m fast"*) return 1 ;; esac
}
"""
# Kills the program before the rename of this number.
KILL_AT = """count=0
mv() {{
  count=$((count + 1))
  [ "$count" -ne {step} ] || kill -9 $$
  command mv "$@"
}}
rename() {{"""
# Its pgBackRest never ends.
HANGING = SCRIPT.replace(
    "build() {",
    'pgbackrest() { mkfifo "$root/wait"; read -r _ <>"$root/wait"; }\nbuild() {',
)
# The renames of an exchange.
RENAMES = (1, 2, 3, 4)
# Before this one, there is no data directory.
NO_DATA = 3
# How long Patroni may be stopped, seconds (freeze_ms), and the time of the checks before it.
FREEZE_S = 12.0


class Server(PostgresServer):
    """A PostgreSQL, and the program that restores beside it."""

    def program(self, verb: str, *arguments: str, script: str = PATIENT) -> str:
        """Run the program of the pod."""
        return self.run("bash", "-s", verb, *arguments, text=script)

    def build(self, moment: str) -> None:
        """Restore a moment beside the live data."""
        self.program("build", *self.to(moment))

    @contextmanager
    def begun(
        self, verb: str, moment: str, script: str = SCRIPT
    ) -> Iterator[subprocess.Popen[str]]:
        """Begin to restore a moment beside the live data; it runs during the block."""
        argv = ["bash", "-s", verb, *self.to(moment)]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, env=self.environment, user="postgres", text=True
        ) as process:
            assert process.stdin is not None
            process.stdin.write(script)
            process.stdin.close()
            yield process

    def to(self, moment: str) -> tuple[str, ...]:
        """The arguments that restore a moment from the first backup."""
        return ("1", "120", f"--set={self.label}", "--type=time", f"--target={moment}")

    def prepare(self, moment: str) -> None:
        """Restore a moment beside the live data, ready for the switch."""
        self.build(moment)
        self.program("prepare")

    def kill_switch(self, step: int, script: str = PATIENT) -> None:
        """Switch, and kill the program before a rename."""
        killed = script.replace("rename() {", KILL_AT.format(step=step))
        with pytest.raises(subprocess.CalledProcessError):
            self.program("switch", script=killed)
        assert "exchanging" in self.program("state").split()

    def recreate(self) -> None:
        """Create data from the repository, as Patroni does when it finds none."""
        argv = ("--stanza=db", f"--link-map=pg_wal={self.data}_wal", "--type=standby", "restore")
        self.run("pgbackrest", *argv)
        (self.data / "standby.signal").rename(self.data / "recovery.signal")
        self.serve()

    @property
    def saved(self) -> Path:
        """The copy of all files before the tests."""
        return self.folder.with_name("saved")

    @property
    def root(self) -> Path:
        """The folder of what is beside the live data."""
        return self.volume / "vrooli-restore"

    @property
    def beside(self) -> str:
        """The socket of the server beside the live one."""
        return str(self.volume / "vrooli-restore")


@pytest.fixture(scope="module")
def origin() -> Iterator[Server]:
    """A stopped server with one backup; each test gets a copy of its files at the same place."""
    if shutil.which("pgbackrest") is None:
        pytest.fail("missing: pgbackrest, `test.sh --suite services` installs it")
    folder = Path(tempfile.mkdtemp(prefix="vrooli-restore-"))
    shutil.chown(folder, "postgres")
    (folder / "s").mkdir()
    server = Server(folder / "s")
    try:
        server.start()
        server.stop()
        subprocess.run(["cp", "-a", server.folder, server.saved], check=True)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def server(origin: Server) -> Iterator[Server]:
    """A server with one backup."""
    shutil.rmtree(origin.folder)
    subprocess.run(["cp", "-a", origin.saved, origin.folder], check=True)
    origin.serve()
    yield origin
    origin.stop()


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
    server.prepare(moment)
    server.program("switch")
    server.program("finish")
    assert (server.numbers(), server.program("state")) == ("1", "")
    assert not Path(server.beside).exists()


def test_a_server_that_ends_after_the_limit_of_its_shutdown_is_stopped(server: Server) -> None:
    moment = server.insert(1)
    server.insert(2)
    server.archive()
    server.prepare(moment)
    assert server.program("switch", script=f"{LATE}{PATIENT}").startswith("switched ")
    assert server.numbers() == "1"


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
    with server.begun("build", moment) as process:
        folder = server.volume / "vrooli-restore/new/data"
        wait_until(folder.exists, PATIENCE_S, "pgBackRest has started")
        process.send_signal(signal.SIGKILL)
    assert server.numbers() == "1 2"
    server.build(moment)
    assert server.numbers(server.beside) == "1"


@pytest.mark.parametrize("verb", ["build", "build-stopped"])
def test_a_restore_whose_connection_broke_off_is_replaced(
    moments: tuple[Server, str], verb: str
) -> None:
    """It goes on in the pod, where it holds the lock."""
    server, moment = moments
    with server.begun(verb, moment, HANGING) as process:
        try:
            wait_until((server.root / "wait").exists, PATIENCE_S, "pgBackRest has started")
            server.program(verb, *server.to(moment))
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGKILL
    assert server.numbers(server.beside) == "1"


@pytest.fixture
def moments(server: Server) -> tuple[Server, str]:
    """A server with the rows 1 and 2, and the moment between them."""
    moment = server.insert(1)
    server.insert(2)
    server.archive()
    return server, moment


@pytest.mark.long
@pytest.mark.parametrize("step", RENAMES)
@pytest.mark.parametrize(("verb", "rows"), [("switch", "1"), ("undo", "1 2")])
def test_an_exchange_that_was_killed_is_completed_or_taken_back(
    moments: tuple[Server, str], step: int, verb: str, rows: str
) -> None:
    server, moment = moments
    server.prepare(moment)
    server.kill_switch(step)
    server.program(verb)
    if not server.answers():  # in a pod, Patroni starts it
        server.serve()
    assert server.numbers() == rows
    assert server.program("state") == ("old" if verb == "switch" else "new")
    server.insert(3)
    server.archive()
    if verb == "switch":
        server.program("prepare-undo")
        server.program("undo")
        assert server.numbers() == "1 2"


@pytest.mark.parametrize(
    ("verb", "rows"), [("switch", "1"), pytest.param("undo", "1 2", marks=pytest.mark.long)]
)
def test_data_that_patroni_created_after_a_crash_are_kept_aside(
    moments: tuple[Server, str], verb: str, rows: str
) -> None:
    server, moment = moments
    server.prepare(moment)
    server.kill_switch(NO_DATA)
    assert not server.data.exists()
    server.recreate()
    server.insert(9)
    server.archive()
    assert server.numbers() == "1 2 9"

    aside, switched = server.program(verb).splitlines()
    assert switched.startswith("switched ")
    assert server.numbers() == rows
    server.insert(3)
    server.archive()  # on a timeline that the archive has not
    server.program("finish" if verb == "switch" else "discard")
    assert server.program("state") == ""

    server.run("pg_ctl", "stop", "-D", str(server.data))
    shutil.rmtree(server.data)
    shutil.rmtree(f"{server.data}_wal")
    for folder in Path(aside.removeprefix("aside ")).iterdir():
        folder.rename(server.volume / folder.name)
    (server.data / "pg_wal").unlink()
    (server.data / "pg_wal").symlink_to(f"{server.data}_wal")
    server.serve()
    assert server.numbers() == "1 2 9"


@pytest.mark.long
def test_a_directory_that_the_pod_created_after_a_crash_is_replaced(
    moments: tuple[Server, str],
) -> None:
    server, moment = moments
    server.prepare(moment)
    server.kill_switch(NO_DATA)
    server.run("mkdir", "-m", "700", str(server.data))
    assert server.program("undo").startswith("switched ")
    server.serve()
    assert (server.numbers(), server.program("state")) == ("1 2", "new")


@pytest.fixture
def patroni(server: Server) -> Iterator[int]:
    """A process with the name of Patroni."""
    argv = ["bash", "-c", "exec -a /usr/bin/patroni sleep 600"]
    with subprocess.Popen(
        argv, user="postgres", cwd=server.folder, env=server.environment
    ) as process:
        yield process.pid
        process.kill()


def _state(process: int) -> str:
    (line,) = (
        line
        for line in Path(f"/proc/{process}/status").read_text().splitlines()
        if line.startswith("State:")
    )
    return line.split()[1]


def test_patroni_is_stopped_in_the_exchange_only(moments: tuple[Server, str], patroni: int) -> None:
    server, moment = moments
    server.prepare(moment)
    states = server.folder / "states"
    recorded = PATIENT.replace("  mv -T ", f"  status {patroni} State >>{states}\n  mv -T ")
    server.program("switch", script=recorded)
    assert states.read_text().split() == ["T"] * len(RENAMES)
    wait_until(lambda: _state(patroni) == "S", PATIENCE_S, "Patroni goes on")
    assert server.numbers() == "1"


@pytest.mark.long
def test_nothing_is_renamed_while_patroni_runs(moments: tuple[Server, str], patroni: int) -> None:
    server, moment = moments
    server.prepare(moment)
    thawed = SCRIPT.replace("exchange() {", "exchange() {\n  kill -CONT $patroni_pids; sleep 0.2\n")
    argv = ("bash", "-s", "switch")
    assert "Patroni went on" in server.run(*argv, text=thawed, check=False)
    assert server.data.exists()
    assert _state(patroni) == "S"
    server.program("undo")
    server.serve()
    assert server.numbers() == "1 2"


@pytest.mark.long
def test_a_start_that_takes_too_long_is_taken_back_before_patroni_goes_on(
    moments: tuple[Server, str], patroni: int
) -> None:
    server, moment = moments
    server.prepare(moment)
    (server.root / "new/data/global/pg_filenode.map").unlink()  # the server cannot start
    argv = ("bash", "-s", "switch")
    began = time.monotonic()
    output = server.run(*argv, text=SCRIPT, check=False)
    assert "the previous data were brought back" in output
    assert time.monotonic() - began < FREEZE_S
    assert _state(patroni) == "S"
    wait_until(server.answers, PATIENCE_S, "PostgreSQL answers")
    assert (server.numbers(), server.program("state")) == ("1 2", "new")


@pytest.mark.long
def test_a_killed_exchange_lets_patroni_go_on(moments: tuple[Server, str], patroni: int) -> None:
    server, moment = moments
    server.prepare(moment)
    server.kill_switch(NO_DATA, SCRIPT)
    assert _state(patroni) == "T"
    wait_until(lambda: _state(patroni) == "S", FREEZE_S + 2, "Patroni goes on")


@pytest.mark.long
def test_patroni_without_data_ends_after_an_exchange(
    moments: tuple[Server, str], patroni: int
) -> None:
    server, moment = moments
    server.prepare(moment)
    server.kill_switch(NO_DATA, SCRIPT)
    # It may have decided to delete or to replace the data that it finds then.
    server.program("undo")
    wait_until(lambda: _state(patroni) == "Z", PATIENCE_S, "Patroni has ended")
    server.serve()
    assert server.numbers() == "1 2"


@pytest.fixture
def stopped(moments: tuple[Server, str]) -> tuple[Server, str]:
    """A server that has crashed and does not start, and a moment; the last row is not archived."""
    server, moment = moments
    server.insert(3)
    server.run("pg_ctl", "stop", "-D", str(server.data), "-m", "immediate")
    # Without it, PostgreSQL does not start: "could not open directory pg_notify".
    server.run("rm", "-r", str(server.data / "pg_notify"))
    return server, moment


def _restore_stopped(server: Server, *arguments: str) -> None:
    """Restore in the place of a server that does not start, and start it as Patroni does."""
    server.program("build-stopped", "1", "120", f"--set={server.label}", *arguments)
    server.program("prepare-stopped")
    assert server.program("switch-stopped").startswith("switched ")
    assert server.program("state") == "old"
    server.serve()


def test_a_server_that_does_not_start_is_restored_to_a_moment(
    stopped: tuple[Server, str], patroni: int
) -> None:
    server, moment = stopped
    timeline, *_ = server.program("timelines").split()
    assert timeline == "1"
    _restore_stopped(server, "--type=time", f"--target={moment}")
    assert server.numbers() == "1"
    # Patroni would go on with what it has decided about the data of before.
    wait_until(lambda: not Path(f"/proc/{patroni}/cwd").exists(), PATIENCE_S, "Patroni has ended")
    server.insert(4)
    server.archive()
    server.program("finish")
    assert (server.numbers(), server.program("state")) == ("1 4", "")
    assert server.program("timelines").splitlines()[0].startswith("2 ")
    assert "1\t" in server.program("timelines")


def test_the_latest_data_of_a_server_that_does_not_start_are_complete(
    stopped: tuple[Server, str],
) -> None:
    server, _ = stopped
    _restore_stopped(server, "--type=default")
    assert server.numbers() == "1 2 3"
    server.insert(4)
    server.archive()


def test_an_archive_that_ends_too_early_is_not_taken_for_the_latest_data(server: Server) -> None:
    archived = set(server.folder.glob("repo/archive/db/*/*/0*"))
    server.insert(1)
    server.archive()
    server.sql("CHECKPOINT")
    server.run("pg_ctl", "stop", "-D", str(server.data), "-m", "immediate")
    later = set(server.folder.glob("repo/archive/db/*/*/0*")) - archived
    for path in (*later, *Path(f"{server.data}_wal").glob("0*")):
        path.unlink()
    argv = ("bash", "-s", "build-stopped", "1", "120", f"--set={server.label}", "--type=default")
    answer = server.run(*argv, text=SCRIPT, check=False)
    assert "before the last checkpoint of the live data" in answer
    server.program("discard")


def test_a_server_that_answers_again_is_not_replaced(moments: tuple[Server, str]) -> None:
    server, moment = moments
    server.program("build-stopped", *server.to(moment))
    server.program("prepare-stopped")
    argv = ("bash", "-s", "switch-stopped")
    assert server.run(*argv, text=SCRIPT, check=False).endswith("answers again; repeat the command")
    assert server.numbers() == "1 2"


def test_two_programs_do_not_interleave(moments: tuple[Server, str]) -> None:
    server, moment = moments
    server.prepare(moment)
    with subprocess.Popen(["flock", "--no-fork", server.volume, "sleep", "600"]) as process:
        wait_until(lambda: _is_locked(server.volume), PATIENCE_S, "the lock is held")
        output = server.run("bash", "-s", "switch", text=SCRIPT, check=False)
        timelines = server.run("bash", "-s", "timelines", text=SCRIPT, check=False)
        process.kill()
    assert timelines.startswith("1 ")
    assert output == "another command is still working in this pod; wait until it has ended"
    assert server.numbers() == "1 2"
    server.program("switch")
    assert not _is_locked(server.volume)  # the server does not hold it


def _is_locked(path: Path) -> bool:
    return subprocess.run(["flock", "-n", path, "true"], check=False).returncode != 0


def test_the_log_of_the_server_stays_where_it_was(moments: tuple[Server, str]) -> None:
    server, moment = moments
    server.prepare(moment)
    server.program("switch")
    with pytest.raises(subprocess.CalledProcessError):
        server.sql("SELECT * FROM absent_after_the_switch")
    assert "absent_after_the_switch" in (server.folder / "server.log").read_text()


def test_roles_are_those_of_the_live_data(server: Server) -> None:
    for statement in (
        "CREATE ROLE staff",
        "CREATE ROLE dropped LOGIN PASSWORD 'x' IN ROLE staff, pg_read_all_data",
        "CREATE ROLE revoked LOGIN PASSWORD 'x' SUPERUSER IN ROLE staff",
        "ALTER ROLE revoked SET work_mem = '1GB'",
        "GRANT staff TO app WITH ADMIN OPTION",
    ):
        server.sql(statement)
    moment = server.insert(1)
    for statement in (
        "DROP ROLE dropped",
        "REVOKE staff FROM revoked",
        "ALTER ROLE revoked NOSUPERUSER PASSWORD NULL",
        "ALTER ROLE revoked RESET work_mem",
        "CREATE ROLE \"added 'since'\" LOGIN IN ROLE staff",
        "ALTER ROLE app PASSWORD 'after'",
    ):
        server.sql(statement)
    server.archive()
    roles = (
        "SELECT rolname, rolsuper, rolcanlogin, rolpassword FROM pg_authid "
        "WHERE oid >= 16384 AND rolname <> 'dropped' ORDER BY 1"
    )
    members = (
        "SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members "
        "WHERE member >= 16384 ORDER BY 1, 2"
    )
    settings = "SELECT count(*) FROM pg_db_role_setting"
    before = [server.sql(query) for query in (roles, members, settings)]
    server.prepare(moment)
    server.program("switch")
    assert [server.sql(query) for query in (roles, members, settings)] == before
    assert server.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'dropped'") == "f"


@pytest.mark.long
def test_subscriptions_do_not_run_beside_the_live_server(server: Server) -> None:
    server.sql(
        "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p "
        "WITH (connect = false, slot_name = 's')"
    )
    server.sql("ALTER SUBSCRIPTION s ENABLE")
    moment = server.insert(1)
    server.insert(2)
    server.archive()
    server.prepare(moment)
    assert "logical replication" not in (server.root / "postgres.log").read_text()
    server.program("switch")
    assert server.sql("SELECT subenabled FROM pg_subscription") == "t"


def test_room_is_measured(server: Server) -> None:
    free, size, memory = server.program("room").split()
    assert int(free) > 0
    assert int(size) > int(server.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"))
    assert memory == "-" or int(memory) > 0
