"""A PostgreSQL as PGO lays it out, with pgBackRest, but without Patroni."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from support.programs.backend import POSTGRES_BIN
from support.programs.processes import PATIENCE_S, wait_until

PORT = "5999"
# With what Patroni writes once an instance has been a replica, as each is after its first restart.
SETTINGS = """
recovery_target=''
recovery_target_lsn=''
recovery_target_name=''
recovery_target_time=''
recovery_target_timeline='latest'
recovery_target_xid=''
archive_mode=on
archive_command='pgbackrest --stanza=db archive-push "%p"'
restore_command='pgbackrest --stanza=db archive-get %f "%p"'
listen_addresses=''
fsync=off
"""


class PostgresServer:
    """A PostgreSQL as PGO lays it out, and its repository in a folder.

    Args:
        folder: An empty folder.
        options: Further options of pgBackRest.

    Attributes:
        volume: The folder of its volume.
        data: The data directory.
        label: The label of the first backup.
    """

    def __init__(self, folder: Path, options: Mapping[str, str] = MappingProxyType({})) -> None:
        self.folder, self.volume = folder, folder / "pgdata"
        self.data = self.volume / "pg15"
        self.label = ""
        self.processes: list[subprocess.Popen[bytes]] = []
        for name in ("pgdata", "repo", "sock", "log", "spool"):
            (folder / name).mkdir()
        settings = {
            "repo1-path": f"{folder}/repo",
            "repo1-retention-full": "2",
            "log-path": f"{folder}/log",
            "lock-path": f"{folder}/lock",
            "archive-async": "y",
            "spool-path": f"{folder}/spool",
            "start-fast": "y",
            **options,
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (folder / "pgbackrest.conf").write_text(
            f"[global]\n{lines}"
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
        """Start the server, as Patroni does, and wait until it accepts writes."""
        with (self.folder / "server.log").open("ab") as log:
            shutil.chown(log.name, "postgres")  # as the output of a container
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
        wait_until(self.answers, PATIENCE_S, "PostgreSQL answers")

    def answers(self) -> bool:
        """Whether the live server answers."""
        try:
            return self.sql("SELECT pg_is_in_recovery()") == "f"
        except subprocess.CalledProcessError:
            return False

    def stop(self) -> None:
        """Stop all servers."""
        for data in (self.data, *self.volume.glob("vrooli-restore/*/data")):
            argv = ["pg_ctl", "stop", "-D", str(data), "-m", "immediate"]
            self.run(*argv, check=False)
        for process in self.processes:
            process.wait(60)
        # Archiving goes on for a moment.
        pattern = ["pgrep", "-f", str(self.folder)]
        wait_until(
            lambda: subprocess.run(pattern, check=False).returncode == 1, PATIENCE_S, "it has ended"
        )

    def run(self, *argv: str, text: str = "", check: bool = True) -> str:
        """Run a program as the user of the server."""
        ended = subprocess.run(
            argv,
            input=text,
            env=self.environment,
            user="postgres",
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if check and ended.returncode:
            error = subprocess.CalledProcessError(ended.returncode, argv)
            error.add_note(ended.stdout + ended.stderr)
            raise error
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
        wait_until(lambda: self.sql(query) == "t", PATIENCE_S, "the WAL is archived")
