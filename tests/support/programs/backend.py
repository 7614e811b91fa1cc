"""Real Postgres behind pgBouncer and real Redis under Sentinel, as processes on loopback.

What the cluster gives the services, without the cluster: TLS only, transaction pooling, a
password for Redis but none for its Sentinels.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from support.programs.certificates import self_signed
from support.programs.ports import free_port
from support.programs.processes import PATIENCE_S, Running, wait_until
from vrooli import project

# The password of these throw-away processes.
PASSWORD = "only-on-loopback"
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
PROGRAMS = ("redis-server", "pgbouncer", "pgbackrest")


def missing_programs() -> list[str]:
    """What must be installed before this can run, as Debian's package names."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if not (POSTGRES_BIN / "initdb").exists():
        absent.append("postgresql-15")
    return absent


@dataclass
class Backend:
    """The running processes; each can be stopped and started by a test."""

    folder: Path
    postgres: Running
    pgbouncer: Running
    redis: list[Running] = field(default_factory=list)
    sentinels: list[Running] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What the chart gives server and jobs."""
        return {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.pgbouncer.port),
            "DB_NAME": "vrooli",
            "DB_USER": "vrooli",
            "DB_PASSWORD": PASSWORD,
            "DB_SSLMODE": "require",
            "REDIS_SENTINEL_HOSTS": ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels),
            "REDIS_MASTER_NAME": "mymaster",
            "REDIS_PASSWORD": PASSWORD,
        }

    def all(self) -> list[Running]:
        """Every process, in the order of their ending."""
        return [*self.sentinels, *self.redis, self.pgbouncer, self.postgres]


@contextmanager
def running_backend() -> Iterator[Backend]:
    """Start everything in a separate folder; stop and delete it after the block."""
    folder = Path(tempfile.mkdtemp(prefix="vrooli-backend-"))
    folder.chmod(0o755)
    backend = Backend(folder, _postgres(folder), _pgbouncer(folder))
    try:
        _initialise(folder)
        _configure_pgbouncer(folder, backend)
        backend.postgres.start()
        _create_database(folder, backend.postgres.port)
        backend.pgbouncer.start()
        backend.redis = _redis_pair(folder)
        backend.sentinels = [_sentinel(folder, backend.redis[0].port, n) for n in range(3)]
        yield backend
    finally:
        for process in backend.all():
            process.stop()
        shutil.rmtree(folder)


def _postgres(folder: Path) -> Running:
    port = free_port()
    argv: list[str | Path] = [
        POSTGRES_BIN / "postgres",
        "-D",
        folder / "pg",
        "-k",
        folder / "pg",
        "-p",
        str(port),
    ]
    settings = ("listen_addresses=127.0.0.1", "ssl=on", "fsync=off", "shared_buffers=16MB")
    options = [word for setting in settings for word in ("-c", setting)]
    return Running("postgres", [*argv, *options], port, folder, user="postgres")


def _initialise(folder: Path) -> None:
    data = folder / "pg"
    data.mkdir(mode=0o700)
    _own(data)
    argv: list[str | Path] = [
        POSTGRES_BIN / "initdb",
        "-D",
        data,
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(argv, check=True, capture_output=True, user="postgres", cwd=folder)
    # As PGO has it: over the network only with TLS and a password.
    (data / "pg_hba.conf").write_text(
        "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
    )
    self_signed(data / "server.crt", data / "server.key")
    _own(data / "server.crt")
    _own(data / "server.key")


def _create_database(folder: Path, port: int) -> None:
    wait_until(lambda: _answers(folder, port), PATIENCE_S, "PostgreSQL takes connections")
    statements = (
        f"CREATE ROLE vrooli LOGIN PASSWORD '{PASSWORD}'",
        "CREATE DATABASE vrooli",
        # What PGO gives the user of a listed database; nothing in schema public.
        "GRANT ALL ON DATABASE vrooli TO vrooli",
    )
    for statement in statements:
        psql(folder, port, statement, database="postgres")


def _answers(folder: Path, port: int) -> bool:
    """Whether PostgreSQL answers: it listens a moment before."""
    try:
        psql(folder, port, "SELECT 1", database="postgres")
    except subprocess.CalledProcessError:
        return False
    return True


def psql(folder: Path, port: int, statement: str, database: str = "vrooli") -> str:
    """Ask Postgres itself, past every service: what a statement prints, unaligned."""
    options = ["-d", database, "-v", "ON_ERROR_STOP=1", "-Atqc", statement]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [*_psql(folder, port), *options],
        check=True,
        capture_output=True,
        text=True,
        user="postgres",
        cwd=folder,
    )
    return done.stdout.strip()


def _psql(folder: Path, port: int) -> list[str | Path]:
    return [POSTGRES_BIN / "psql", "-h", folder / "pg", "-p", str(port), "-U", "postgres"]


@contextmanager
def transaction(backend: Backend, statement: str) -> Iterator[None]:
    """Keep what a statement locks until the block ends."""
    options = ["-d", "vrooli", "-q", "-c", f"BEGIN; {statement}; SELECT pg_sleep(600)"]
    process = subprocess.Popen(
        [*_psql(backend.folder, backend.postgres.port), *options],
        user="postgres",
        cwd=backend.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    def is_sleeping() -> bool:
        return psql(backend.folder, backend.postgres.port, f"SELECT count(*) {sleeping}") == "1"

    try:
        wait_until(is_sleeping, PATIENCE_S, "it has its locks")
        yield
    finally:
        end = f"SELECT count(pg_terminate_backend(pid)) {sleeping}"
        psql(backend.folder, backend.postgres.port, end)
        process.wait(60)


def add_database(backend: Backend, name: str, owner: str = "vrooli") -> None:
    """Make one more database, with what PGO gives the user of a listed one."""
    for statement in (f"CREATE DATABASE {name}", f'GRANT ALL ON DATABASE {name} TO "{owner}"'):
        psql(backend.folder, backend.postgres.port, statement, "postgres")


def set_password(backend: Backend, user: str, password: str) -> None:
    """Give a user this password, in PostgreSQL and in pgBouncer; makes it where it is new."""
    exists = psql(
        backend.folder,
        backend.postgres.port,
        f"SELECT count(*) FROM pg_roles WHERE rolname = '{user}'",
    )
    verb = "ALTER" if exists == "1" else "CREATE"
    statement = f"{verb} ROLE \"{user}\" LOGIN PASSWORD '{password}'"
    psql(backend.folder, backend.postgres.port, statement)
    users = backend.folder / "users.txt"
    others = [line for line in users.read_text().splitlines() if not line.startswith(f'"{user}"')]
    users.write_text("\n".join([*others, f'"{user}" "{password}"', ""]))
    assert backend.pgbouncer.process is not None
    backend.pgbouncer.process.send_signal(signal.SIGHUP)


def _pgbouncer(folder: Path) -> Running:
    argv: list[str | Path] = [shutil.which("pgbouncer") or "pgbouncer", folder / "pgbouncer.ini"]
    return Running("pgbouncer", argv, free_port(), folder, user="postgres")


def _chart_setting(name: str) -> str:
    """The setting of pgBouncer in the chart's values."""
    values = yaml.safe_load((project.root() / "k8s/chart/values.yaml").read_text())
    return str(values["pgoPostgresql"]["pgBouncer"]["config"][name])


def _configure_pgbouncer(folder: Path, backend: Backend) -> None:
    self_signed(folder / "bouncer.crt", folder / "bouncer.key")
    (folder / "users.txt").write_text(f'"vrooli" "{PASSWORD}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host=127.0.0.1 port={backend.postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {backend.pgbouncer.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
server_tls_sslmode = require
server_login_retry = {_chart_setting("server_login_retry")}
client_tls_sslmode = require
client_tls_cert_file = {folder}/bouncer.crt
client_tls_key_file = {folder}/bouncer.key
"""
    )
    for name in ("users.txt", "pgbouncer.ini", "bouncer.crt", "bouncer.key"):
        _own(folder / name)


def _redis_pair(folder: Path) -> list[Running]:
    first, second = (
        _redis(
            folder,
            f"redis-{number}",
            f"requirepass {PASSWORD}\nmasterauth {PASSWORD}\nsave ''\nappendonly no\n",
        )
        for number in range(2)
    )
    with (folder / "redis-1.conf").open("a") as config:
        config.write(f"replicaof 127.0.0.1 {first.port}\n")
    return [first.start(), second.start()]


def _sentinel(folder: Path, master: int, number: int) -> Running:
    watched = (
        f"sentinel monitor mymaster 127.0.0.1 {master} 2\n"
        f"sentinel auth-pass mymaster {PASSWORD}\n"
        "sentinel down-after-milliseconds mymaster 1000\n"
        "sentinel failover-timeout mymaster 5000\n"
    )
    return _redis(folder, f"sentinel-{number}", watched, "--sentinel").start()


def _redis(folder: Path, name: str, config: str, *options: str) -> Running:
    port, file = free_port(), folder / f"{name}.conf"
    (folder / name).mkdir()
    file.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}/{name}\n{config}")
    argv: list[str | Path] = [shutil.which("redis-server") or "redis-server", file, *options]
    return Running(name, argv, port, folder)


def _own(path: Path) -> None:
    """Give the file to the user that Postgres and pgBouncer run as; neither runs as root."""
    account = pwd.getpwnam("postgres")
    os.chown(path, account.pw_uid, account.pw_gid)
    if path.is_file():
        path.chmod(0o600)
