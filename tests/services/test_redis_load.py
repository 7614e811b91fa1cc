"""A dump is loaded into a running Redis with a replica and an append-only file, by real servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from support.programs.backend import Running, free_port
from support.programs.processes import PATIENCE_S, wait_until
from vrooli.backups import redis_load

SECRET = "a-secret"
SETTINGS = (
    f"requirepass {SECRET}\nmasterauth {SECRET}\nappendonly yes\nrepl-diskless-sync-delay 0\n"
)


class Pair:
    """A master with a replica.

    Attributes:
        master: The master.
        replica: Its replica.
        folder: The folder of the master's data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "master"
        self.master = _server(folder, "master", "")
        self.replica = _server(folder, "replica", f"replicaof 127.0.0.1 {self.master.port}\n")

    def cli(self, server: Running, *words: str) -> str:
        """Run a command."""
        argv = ["redis-cli", "-p", str(server.port), "--no-auth-warning", *words]
        environment = {**os.environ, "REDISCLI_AUTH": SECRET}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def dump(self) -> None:
        """Save the data of the master as the dump."""
        # It is refused while the replica gets its first copy.
        wait_until(lambda: self.cli(self.master, "SAVE") == "OK", PATIENCE_S, "it is saved")
        shutil.copy(self.folder / "dump.rdb", self.folder / redis_load.FILE)

    def load(self, limit_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """Load the dump as a restore does it in the pod of the master."""
        arguments = [
            str(self.folder),
            redis_load.FILE,
            str(free_port()),
            str(round(limit_s)),
            "500",
        ]
        environment = {"REDIS_PORT": str(self.master.port), "REDIS_PASSWORD": SECRET}
        return subprocess.run(
            ["sh", "-s", *arguments],
            input=redis_load.SCRIPT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def _server(folder: Path, name: str, config: str) -> Running:
    port, file = free_port(), folder / f"{name}.conf"
    (folder / name).mkdir()
    file.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}/{name}\n{SETTINGS}{config}")
    return Running(name, ["redis-server", str(file)], port, folder).start()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two servers with a dump of the keys 1 to 500, and other data since."""
    servers = Pair(tmp_path)
    try:
        fill = "for i = 1, 500 do redis.call('SET', i, i) end"
        servers.cli(servers.master, "EVAL", fill, "0")
        servers.dump()
        servers.cli(servers.master, "SET", "later", "x")
        servers.cli(servers.master, "DEL", "7")
        yield servers
    finally:
        # Redis refuses to end while it writes its first append-only file after a copy.
        servers.replica.stop(signal.SIGKILL)
        servers.master.stop(signal.SIGKILL)


def test_the_data_is_that_of_the_dump_and_stays_it_after_a_restart(pair: Pair) -> None:
    done = pair.load()
    assert done.stdout.startswith("loaded "), done
    assert SECRET not in done.stdout + done.stderr
    assert pair.cli(pair.master, "ROLE").startswith("master")
    assert pair.cli(pair.master, "DBSIZE") == "500"
    assert pair.cli(pair.master, "GET", "7") == "7"
    wait_until(lambda: pair.cli(pair.replica, "GET", "7") == "7", PATIENCE_S, "it is replicated")
    assert pair.cli(pair.replica, "EXISTS", "later") == "0"
    assert not (pair.folder / redis_load.FILE).exists()
    wait_until(
        lambda: "aof_rewrite_in_progress:0" in pair.cli(pair.master, "INFO", "persistence"),
        PATIENCE_S,
        "the file is written",
    )
    pair.master.stop()
    pair.master.start()
    assert pair.cli(pair.master, "DBSIZE") == "500"


def test_a_copy_that_an_operator_interrupts_begins_again(pair: Pair) -> None:
    """It makes a single Redis that is not the master the master again."""

    def interrupt() -> None:
        with Redis(port=pair.master.port, password=SECRET) as client:
            deadline = time.monotonic() + PATIENCE_S
            while client.role()[0] != b"slave":  # without a pause: it copies for milliseconds
                assert time.monotonic() < deadline
            client.execute_command("REPLICAOF", "NO", "ONE")

    with ThreadPoolExecutor() as pool:
        interrupted = pool.submit(interrupt)
        done = pair.load()
        interrupted.result()
    assert done.stdout.startswith("loaded "), done
    assert pair.cli(pair.master, "ROLE").startswith("master")
    assert pair.cli(pair.master, "GET", "7") == "7"
    assert pair.cli(pair.master, "EXISTS", "later") == "0"


def test_a_damaged_dump_leaves_the_data_as_it_is(pair: Pair) -> None:
    (pair.folder / redis_load.FILE).write_bytes(b"REDIS0010 and nothing else")
    done = pair.load(limit_s=2)
    assert done.returncode == 1
    assert "the dump was not loaded in time" in done.stderr
    assert pair.cli(pair.master, "ROLE").startswith("master")
    assert pair.cli(pair.master, "GET", "later") == "x"


def test_a_replica_is_refused(pair: Pair) -> None:
    wait_until(lambda: pair.cli(pair.replica, "GET", "later") == "x", PATIENCE_S, "it follows")
    pair.master, pair.replica = pair.replica, pair.master
    done = pair.load()
    assert (done.returncode, done.stderr.strip()) == (1, "it is not the master")


def test_a_dump_that_was_removed_leaves_the_data_as_it_is(pair: Pair) -> None:
    (pair.folder / redis_load.FILE).unlink()
    done = pair.load()
    assert (done.returncode, done.stderr.strip()) == (1, "there is no dump")
    assert pair.cli(pair.master, "GET", "later") == "x"


def test_a_dump_without_the_expected_keys_is_not_copied(pair: Pair) -> None:
    empty = _server(pair.folder.parent, "empty", "")
    pair.cli(empty, "SAVE")
    empty.stop()
    shutil.copy(pair.folder.parent / "empty/dump.rdb", pair.folder / redis_load.FILE)
    done = pair.load()
    assert done.returncode == 1
    assert "has loaded none of the 500 keys" in done.stderr
    assert pair.cli(pair.master, "ROLE").startswith("master")
    assert pair.cli(pair.master, "GET", "later") == "x"


def test_a_master_that_still_loads_at_the_time_limit_becomes_the_master_again(pair: Pair) -> None:
    # Redis answers after each kilobyte that it has loaded, so each of the 500 keys has as much.
    value = "for j = 1, 30 do v = v .. redis.sha1hex(i .. j) end"
    fill = f"for i = 1, 500 do local v = '' {value} redis.call('SET', i, v) end"
    pair.cli(pair.master, "EVAL", fill, "0")
    pair.dump()
    pair.cli(pair.master, "DEL", "7")  # what equals the dump is not copied
    # 16 ms for each key: in all longer than the limit, and shorter than twice the limit.
    pair.cli(pair.master, "CONFIG", "SET", "key-load-delay", "16000")
    pair.cli(pair.master, "CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
    done = pair.load(limit_s=6)
    assert done.returncode == 1, done
    assert "the data was not copied in time" in done.stderr
    assert "it is still a replica" not in done.stderr
    assert pair.cli(pair.master, "ROLE").startswith("master")
