"""A schema that is lost, incomplete or someone else's: made again where it can be, else named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from support.browser.page import decided, health, post, read, send
from support.browser.pictures import landscape
from support.programs.backend import PASSWORD, add_database, psql, set_password
from support.programs.processes import PATIENCE_S, Running, wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared.schema import MIGRATIONS, TABLES

# Whoever takes over a database ends the sessions of before.
END_SESSIONS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def query(stack: Stack, statement: str, database: str = "vrooli") -> str:
    """What PostgreSQL itself says."""
    return psql(stack.backend.folder, stack.backend.postgres.port, statement, database)


@contextmanager
def serving(
    stack: Stack, database: str, module: str = "vrooli_server", user: str = "vrooli"
) -> Iterator[str]:
    """The address of one more service over another database, as another user."""
    env = {**stack.environment(), "DB_NAME": database, "DB_USER": user}
    name = f"{module}-{database}-{user}"
    service: Running = start_service(name, module, stack.backend.folder, env)
    try:
        yield f"http://127.0.0.1:{service.port}"
    finally:
        service.stop()


def until_down(url: str, words: str) -> str:
    """Wait until the database's part of the report says this; returns all that it says."""
    wait_until(
        lambda: words in str(health(url)["database"].get("error")), PATIENCE_S, f"it says {words}"
    )
    assert not is_ready(url)
    liveness = httpx.get(f"{url}/healthcheck", headers={"X-Probe": "liveness"})
    assert liveness.status_code == httpx.codes.OK
    return str(health(url)["database"]["error"])


def test_the_declared_tables_match_the_migrations(stack: Stack) -> None:
    """What readiness asks for is no second truth."""
    columns = query(
        stack,
        "SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY 1)"
        " FROM information_schema.columns WHERE table_schema = 'vrooli'",
    )
    declared = {f"{name}.{column}" for name, table in TABLES.items() for column in table.columns}
    assert set(columns.split()) == declared


@pytest.mark.parametrize(
    "loss",
    [
        "DROP TABLE vrooli.posts CASCADE",
        "DROP TABLE vrooli.pictures",
        "DROP TABLE vrooli.idempotency_keys",
        "DROP TABLE vrooli.migrations",
        "DROP TABLE vrooli.posts, vrooli.pictures, vrooli.idempotency_keys",
        "DROP SCHEMA vrooli CASCADE",
        "DELETE FROM vrooli.migrations",
    ],
)
def test_a_lost_part_of_the_schema_is_recreated(stack: Stack, loss: str) -> None:
    """By whichever service looks first: nobody posts, and nobody restarts anything."""
    query(stack, loss)
    jobs = f"http://127.0.0.1:{stack.jobs.port}"
    for url in (stack.url(0), stack.url(1), jobs):
        wait_until(lambda url=url: is_ready(url), PATIENCE_S, "the service is ready again")  # type: ignore[misc]
        assert health(url)["database"]["schema"]["missing"] == []
    created = post(stack.url(), "After the loss", landscape(), key=f"after {loss}")
    assert decided(stack.url(), created["id"])["state"] == "approved"
    recorded = query(stack, "SELECT string_agg(name, ' ' ORDER BY name) FROM vrooli.migrations")
    assert recorded.split() == [name for name, _ in MIGRATIONS]


def test_the_first_post_after_a_loss_is_stored(stack: Stack) -> None:
    """A request that meets the loss before any look does has the migrations run, and goes on."""
    for loss in ("DROP TABLE vrooli.posts CASCADE", "DROP SCHEMA vrooli CASCADE"):
        query(stack, loss)
        created = post(stack.url(), "The first one", key=loss)
        assert read(stack.url(1), created["id"])["text"] == "The first one"


def test_existing_tables_are_not_changed(stack: Stack) -> None:
    """Of a lost table and a whole one, the whole one keeps its rows."""
    created = post(stack.url(), "It stays")
    query(stack, "DROP TABLE vrooli.pictures")
    post(stack.url(), "With a picture", landscape())
    assert read(stack.url(), created["id"])["text"] == "It stays"


def test_a_lost_table_is_reported_by_every_service(stack: Stack) -> None:
    """Whichever service made it again, before or after it started; a new table was never lost."""
    add_database(stack.backend, "lost")
    with serving(stack, "lost") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        assert health(url)["database"]["schema"]["remade"] == {}
        query(stack, "DROP TABLE vrooli.idempotency_keys", "lost")
        query(stack, "DELETE FROM vrooli.migrations WHERE name LIKE '0002%'", "lost")
        wait_until(lambda: is_ready(url), PATIENCE_S, "the new table is there")
        assert health(url)["database"]["schema"]["remade"] == {}
        query(stack, "DROP TABLE vrooli.pictures", "lost")
        wait_until(
            lambda: bool(health(url)["database"]["schema"]["remade"]), PATIENCE_S, "it is told"
        )
        remade = health(url)["database"]["schema"]["remade"]
        assert list(remade) == ["pictures"]
        age = datetime.now(UTC) - datetime.fromisoformat(remade["pictures"])
        assert timedelta(seconds=-1) <= age < timedelta(minutes=10)
    with serving(stack, "lost", "vrooli_jobs") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the jobs are ready")
        assert health(url)["database"]["schema"]["remade"] == remade


def test_the_migrations_are_idempotent(stack: Stack) -> None:
    """Each makes only what is missing: the same schema, the same rows."""
    shape = "SELECT md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM pg_indexes x"
    before = query(stack, shape), query(stack, "SELECT count(*) FROM vrooli.posts")
    for _, statements in MIGRATIONS:
        query(stack, f"SET client_min_messages = error; {statements}")
    assert (query(stack, shape), query(stack, "SELECT count(*) FROM vrooli.posts")) == before


@pytest.mark.parametrize("module", ["vrooli_server", "vrooli_jobs"])
def test_a_lost_column_is_named(stack: Stack, module: str) -> None:
    """Server and jobs say so, and are well once it is back."""
    name = f"column_{module}"
    add_database(stack.backend, name)
    with serving(stack, name, module) as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        query(stack, "ALTER TABLE vrooli.posts DROP COLUMN reason", name)
        error = until_down(url, "schema missing")
        assert "column vrooli.posts.reason" in error
        assert health(url)["database"]["schema"]["missing"] == ["column vrooli.posts.reason"]
        query(stack, "ALTER TABLE vrooli.posts ADD COLUMN reason text", name)
        wait_until(lambda: is_ready(url), PATIENCE_S, "the column is back")


def test_a_schema_of_another_owner_is_named_with_its_owner(stack: Stack) -> None:
    """A restored database, whose tables are another role's: first its rights, then its tables."""
    add_database(stack.backend, "restored")
    with serving(stack, "restored") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        query(stack, 'REASSIGN OWNED BY "vrooli" TO postgres', "restored")
        error = until_down(url, "belongs to postgres")
        assert "user vrooli lacks USAGE on schema vrooli" in error
        query(stack, "GRANT USAGE ON SCHEMA vrooli TO vrooli", "restored")
        assert "INSERT on vrooli.posts" in until_down(url, "INSERT")
        query(stack, "GRANT ALL ON ALL TABLES IN SCHEMA vrooli TO vrooli", "restored")
        wait_until(lambda: is_ready(url), PATIENCE_S, "the rights are there")
        query(stack, "DROP TABLE vrooli.pictures", "restored")
        error = until_down(url, "it can't be created")
        assert "table vrooli.pictures" in error
        assert "permission denied for schema vrooli" in error


def test_a_read_only_user_is_named(stack: Stack) -> None:
    """Everything is there, and yet no post could be stored."""
    set_password(stack.backend, "reader", PASSWORD)
    query(stack, "GRANT USAGE ON SCHEMA vrooli TO reader")
    query(stack, "GRANT SELECT ON ALL TABLES IN SCHEMA vrooli TO reader")
    with serving(stack, "vrooli", user="reader") as url:
        error = until_down(url, "user reader lacks")
        assert "INSERT on vrooli.posts, UPDATE on vrooli.posts" in error
        assert send(url, "Refused").status_code == httpx.codes.SERVICE_UNAVAILABLE
    query(stack, "DROP OWNED BY reader")


def test_a_read_only_database_is_not_ready(stack: Stack) -> None:
    """A replica in the primary's place, or a database set so."""
    add_database(stack.backend, "frozen")
    with serving(stack, "frozen") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        query(stack, "ALTER DATABASE frozen SET default_transaction_read_only = on", "postgres")
        query(stack, END_SESSIONS, "frozen")
        until_down(url, "is read-only")
        query(stack, "ALTER DATABASE frozen RESET default_transaction_read_only", "postgres")
        query(stack, END_SESSIONS, "frozen")
        wait_until(lambda: is_ready(url), PATIENCE_S, "writes are taken again")


def test_both_login_roles_work(stack: Stack) -> None:
    """At a rotation another role connects, a member of the first that acts as it."""
    set_password(stack.backend, "vrooli-alternate", PASSWORD)
    query(stack, 'GRANT "vrooli" TO "vrooli-alternate"')
    query(stack, 'ALTER ROLE "vrooli-alternate" SET role TO "vrooli"')
    add_database(stack.backend, "rotated")
    with serving(stack, "rotated", user="vrooli-alternate") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        created = post(url, "By the alternate role")
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'vrooli'"
    assert query(stack, owners, "rotated") == "vrooli"
    with serving(stack, "rotated") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the first role finds all that it needs")
        assert read(url, created["id"])["text"] == "By the alternate role"
        query(stack, "DROP TABLE vrooli.pictures", "rotated")
        wait_until(lambda: is_ready(url), PATIENCE_S, "the table is made again")
    assert query(stack, owners, "rotated") == "vrooli"


def test_objects_created_by_a_member_belong_to_the_owner(stack: Stack) -> None:
    """Also where its sessions don't act as the owner by themselves."""
    set_password(stack.backend, "member", PASSWORD)
    query(stack, 'GRANT "vrooli" TO member')
    add_database(stack.backend, "shared_by_two")
    with serving(stack, "shared_by_two") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the owner has made the schema")
    with serving(stack, "shared_by_two", user="member") as url:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the member finds it")
        assert health(url)["database"]["schema"]["user"] == "member"
        query(stack, "DROP TABLE vrooli.pictures, vrooli.migrations", "shared_by_two")
        wait_until(lambda: is_ready(url), PATIENCE_S, "the tables are made again")
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'vrooli'"
    assert query(stack, owners, "shared_by_two") == "vrooli"
