"""A rotation of PostgreSQL's password through a real pgBouncer, with old and new pods at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest

from support.fakes.kubernetes_http import NAMESPACE, FakeKubernetes
from support.programs.backend import Backend, psql, running_backend
from support.programs.processes import PATIENCE_S
from vrooli.diagnosis.evidence.probes import postgres_state
from vrooli_rotator.consumers import RESTARTED_AT, Consumers
from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.kubernetes import Kubernetes
from vrooli_rotator.outcome import Outcome
from vrooli_rotator.postgres import Database, PostgresRotation
from vrooli_rotator.secrets import Secrets

FIRST, SECOND, THIRD = "first-password", "second-password", "third-password"
LABELS = {"app": "server"}
# What the chart sets: DISCARD ALL would leave a reused session without its role.
RESET = (
    "CLOSE ALL; RESET ALL; DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); "
    "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; RESET ROLE"
)


@dataclass
class Release:
    """A database with both roles, its pool as PGO configures it, and one Deployment."""

    backend: Backend
    kubernetes: FakeKubernetes = field(default_factory=FakeKubernetes)
    writes: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        for statement in (
            'CREATE ROLE "vrooli-alternate" LOGIN',
            'GRANT ALL ON DATABASE vrooli TO "vrooli-alternate"',
            'GRANT "vrooli" TO "vrooli-alternate"',
            'ALTER ROLE "vrooli-alternate" SET role TO "vrooli"',
            "CREATE ROLE pool LOGIN PASSWORD 'pool'",
            "CREATE FUNCTION get_auth(name text) RETURNS TABLE(username text, password text)"
            " AS 'SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = $1'"
            " LANGUAGE sql SECURITY DEFINER",
        ):
            psql(self.backend.folder, self.backend.postgres.port, statement)
        self._configure_pool()
        for user in ("vrooli", "vrooli-alternate"):
            self.kubernetes.put_secret(f"pg-pguser-{user}", password="by-pgo", verifier="by-pgo")
        self.kubernetes.on_change = self._operate
        self.kubernetes.put_secret("source", DB_PASSWORD=FIRST, DB_USER="vrooli", DB_NAME="vrooli")
        self.kubernetes.put_secret("rotation")
        template = {"metadata": {"labels": LABELS}}
        spec = {"selector": {"matchLabels": LABELS}, "template": template}
        self.kubernetes.put("Deployment", "server", {"spec": spec})

    def _configure_pool(self) -> None:
        folder = self.backend.folder
        file = folder / "pgbouncer.ini"
        lines = file.read_text().replace("pool_mode = transaction", "pool_mode = session")
        auth = "auth_user = pool\nauth_query = SELECT username, password FROM get_auth($1)\n"
        file.write_text(f"{lines}{auth}server_reset_query = {RESET}\nserver_login_retry = 1\n")
        (folder / "users.txt").write_text('"pool" "pool"\n')
        self.backend.pgbouncer.stop()
        self.backend.pgbouncer.start()

    def _operate(self, kind: str, name: str) -> None:
        """What PGO does when a role's Secret changes: an empty verifier is computed anew."""
        if kind != "Secret" or not name.startswith("pg-pguser-"):
            return
        user, secret = name.removeprefix("pg-pguser-"), self.kubernetes.secret(name)
        if secret["verifier"]:
            return
        self.writes[user] = self.writes.get(user, 0) + 1
        self.kubernetes.put_secret(name, password=secret["password"], verifier="computed")
        statement = f"ALTER ROLE \"{user}\" PASSWORD '{secret['password']}'"
        psql(self.backend.folder, self.backend.postgres.port, statement)

    def put_pod(self, name: str) -> None:
        """A pod that the Deployment makes now."""
        template = self.kubernetes.objects["Deployment", "server"]["spec"]["template"]
        body = {"metadata": dict(template["metadata"]), "status": {"phase": "Running"}}
        self.kubernetes.put("Pod", name, body)

    def published(self) -> tuple[str, str]:
        """The published role and password."""
        data = self.kubernetes.secret("published")
        return data["DB_USER"], data["DB_PASSWORD"]

    def current_user(self, user: str, password: str) -> str:
        """Whom a session through the pool acts as."""
        with psycopg.connect(
            host="127.0.0.1",
            port=self.backend.pgbouncer.port,
            dbname="vrooli",
            user=user,
            password=password,
            sslmode="require",
        ) as connection:
            row = connection.execute("SELECT current_user").fetchone()
        assert row is not None
        return str(row[0])


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running_backend() as running:
        yield running


@pytest.fixture
def release(backend: Backend) -> Iterator[Release]:
    prepared = Release(backend)
    prepared.start()
    yield prepared
    for statement in (
        "DROP FUNCTION get_auth",
        "DROP ROLE pool",
        'REVOKE ALL ON DATABASE vrooli FROM "vrooli-alternate"',
        'DROP OWNED BY "vrooli-alternate"',
        'DROP ROLE "vrooli-alternate"',
    ):
        psql(backend.folder, backend.postgres.port, statement)


class Passes:
    """The rotation's passes, each by a new process."""

    def __init__(self, release: Release) -> None:
        self._release = release

    async def one(self) -> Outcome:
        async with self._release.kubernetes.client() as client:
            kubernetes = Kubernetes(client, NAMESPACE)
            port = self._release.backend.pgbouncer.port
            database = Database("pg", "vrooli", "vrooli", "127.0.0.1", port, "source", "published")
            secrets = Secrets(kubernetes, "rotation")
            consumers = Consumers(kubernetes, ["server"])
            rotation = PostgresRotation(database, secrets, consumers, "rotation")
            return await rotation.reconcile()

    async def until_complete(self) -> Outcome:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self.one()
                except WaitingError:
                    await asyncio.sleep(0.2)

    async def until_published(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if await self.one() is Outcome.PUBLISHED:
                        return
                except WaitingError:
                    await asyncio.sleep(0.2)


async def test_a_deleted_published_secret_is_restored(release: Release) -> None:
    """Pods run with it: what Vault says by then has to be rotated, not published at once."""
    passes = Passes(release)
    await passes.until_complete()
    release.put_pod("old")
    release.kubernetes.put_secret("source", DB_PASSWORD=SECOND)
    await passes.until_published()
    del release.kubernetes.objects["Secret", "published"]
    release.kubernetes.put_secret("source", DB_PASSWORD=THIRD)
    with pytest.raises(WaitingError):
        await passes.one()
    assert release.published() == ("vrooli-alternate", SECOND)
    assert release.current_user("vrooli", FIRST) == "vrooli"


async def test_a_deleted_source_does_not_stop_a_rotation(release: Release) -> None:
    passes = Passes(release)
    await passes.until_complete()
    release.put_pod("old")
    release.kubernetes.put_secret("source", DB_PASSWORD=SECOND)
    await passes.until_published()
    release.kubernetes.put_secret("source", DB_PASSWORD="")
    del release.kubernetes.objects["Pod", "old"]
    await asyncio.sleep(1.1)
    with pytest.raises(RefusedError):
        await passes.until_complete()
    with pytest.raises(psycopg.OperationalError):
        release.current_user("vrooli", FIRST)


async def test_old_and_new_pods_can_log_in_during_a_rotation(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = Passes(release)
    assert await passes.one() is Outcome.AT_REST
    assert release.published() == ("vrooli", FIRST)
    release.put_pod("old")
    await asyncio.sleep(1.1)
    release.kubernetes.put_secret("source", DB_PASSWORD=SECOND, DB_USER="vrooli", DB_NAME="vrooli")
    await passes.until_published()
    assert release.published() == ("vrooli-alternate", SECOND)
    with monkeypatch.context() as patch:
        patch.setattr("vrooli_rotator.consumers.SETTLE", timedelta(hours=1))
        with pytest.raises(WaitingError, match="just been published"):
            await passes.one()
    await asyncio.sleep(1.1)
    with pytest.raises(WaitingError, match="previous password still run: old"):
        await passes.one()
    for _ in range(3):  # reused server connections keep the role
        assert release.current_user("vrooli", FIRST) == "vrooli"
        assert release.current_user("vrooli-alternate", SECOND) == "vrooli"
    annotations = release.kubernetes.objects["Deployment", "server"]["spec"]["template"]["metadata"]
    restarted_at = annotations["annotations"][RESTARTED_AT]
    with pytest.raises(WaitingError):
        await passes.one()
    again = release.kubernetes.objects["Deployment", "server"]["spec"]["template"]["metadata"]
    assert again["annotations"][RESTARTED_AT] == restarted_at, "restarted once"
    del release.kubernetes.objects["Pod", "old"]
    release.put_pod("new")
    assert await passes.until_complete() is Outcome.COMPLETED
    assert release.current_user("vrooli", SECOND) == "vrooli"
    with pytest.raises(psycopg.OperationalError):
        release.current_user("vrooli", FIRST)
    assert release.writes == {"vrooli": 2, "vrooli-alternate": 2}


async def test_no_writes_without_a_change(release: Release) -> None:
    passes = Passes(release)
    await passes.one()
    await passes.one()
    before = dict(release.writes)
    secrets = dict(release.kubernetes.objects)
    for _ in range(5):
        assert await passes.one() is Outcome.AT_REST
    assert release.writes == before
    assert release.kubernetes.objects == secrets


async def test_a_second_change_waits_until_the_first_one_is_complete(release: Release) -> None:
    """The role that it would take is still used by pods of the time before the first one."""
    passes = Passes(release)
    await passes.one()
    await passes.one()
    release.put_pod("old")
    await asyncio.sleep(1.1)
    release.kubernetes.put_secret("source", DB_PASSWORD=SECOND)
    await passes.until_published()
    release.kubernetes.put_secret("source", DB_PASSWORD=THIRD)
    await asyncio.sleep(1.1)
    with pytest.raises(WaitingError, match="old"):
        await passes.one()
    assert release.published() == ("vrooli-alternate", SECOND)
    assert release.current_user("vrooli", FIRST) == "vrooli"
    del release.kubernetes.objects["Pod", "old"]
    await passes.until_published()
    assert release.published() == ("vrooli", THIRD)


async def test_other_changed_keys_are_published(release: Release) -> None:
    passes = Passes(release)
    await passes.one()
    release.kubernetes.put_secret("source", DB_PASSWORD=FIRST, DB_USER="other", EXTRA="1")
    await passes.one()
    data = release.kubernetes.secret("published")
    assert data == {"DB_PASSWORD": FIRST, "DB_USER": "vrooli", "EXTRA": "1"}


async def test_a_role_without_membership_is_not_published(release: Release) -> None:
    passes = Passes(release)
    await passes.one()
    await passes.one()
    backend = release.backend
    statement = 'ALTER ROLE "vrooli-alternate" RESET role'
    psql(backend.folder, backend.postgres.port, statement)
    release.kubernetes.put_secret("source", DB_PASSWORD=SECOND)
    with pytest.raises(WaitingError, match='GRANT "vrooli" TO "vrooli-alternate"'):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await passes.one()
                except WaitingError as error:
                    if "does not let" not in str(error):
                        raise
                await asyncio.sleep(0.2)
    assert release.published() == ("vrooli", FIRST)


def test_the_diagnosis_accepts_the_second_role(release: Release) -> None:
    folder, port = release.backend.folder, release.backend.postgres.port
    psql(folder, port, 'CREATE SCHEMA "vrooli" AUTHORIZATION "vrooli"')
    may = {
        user: json.loads(psql(folder, port, postgres_state.MAY.format(user=user)))["may"]
        for user in ("vrooli", "vrooli-alternate", "pool")
    }
    psql(folder, port, 'DROP SCHEMA "vrooli"')
    assert may == {"vrooli": True, "vrooli-alternate": True, "pool": False}


async def test_an_empty_password_is_refused(release: Release) -> None:
    passes = Passes(release)
    await passes.one()
    release.kubernetes.put_secret("source", DB_PASSWORD="")
    with pytest.raises(RefusedError, match="set it in Vault"):
        await passes.one()
    assert release.published() == ("vrooli", FIRST)
