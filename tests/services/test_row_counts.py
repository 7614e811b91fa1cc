"""The rows of a database are counted as superuser, but nothing of its users runs as one."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

from support.programs.backend import POSTGRES_BIN, Backend, psql
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack
from vrooli.backups import contents

DATABASE = "counted"
# A user with a table, who notes the rights of whoever runs a function.
PREPARE = """CREATE ROLE counted LOGIN; GRANT CREATE ON DATABASE counted TO counted;
SET ROLE counted; CREATE SCHEMA own; CREATE TABLE own.rights (is_super boolean);
CREATE TABLE own.zzz (); INSERT INTO own.zzz DEFAULT VALUES;
CREATE FUNCTION own.note() RETURNS boolean LANGUAGE sql AS $$
  INSERT INTO own.rights SELECT rolsuper FROM pg_roles WHERE rolname = current_user
  RETURNING true $$"""
# The table becomes a view while its count waits for the lock.
REPLACE = """BEGIN; SET ROLE counted; DROP TABLE own.zzz;
CREATE VIEW own.zzz AS SELECT 1 WHERE own.note();
DO $$ BEGIN FOR attempt IN 1..600 LOOP
  EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.1);
END LOOP; END $$; COMMIT"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = '{}'"


def count(backend: Backend) -> subprocess.CompletedProcess[str]:
    """Count the rows as `vrooli restore` does, as superuser."""
    argv = [POSTGRES_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t"]
    place = ["-h", backend.folder / "pg", "-p", str(backend.postgres.port), "-U", "postgres"]
    return subprocess.run(
        [*map(str, [*argv, *place]), "-d", DATABASE, "-f", "-"],
        input=contents.COUNT,
        check=False,
        capture_output=True,
        text=True,
        user="postgres",
        cwd=backend.folder,
        timeout=120,
    )


def test_a_table_that_becomes_a_view_runs_nothing_as_superuser(stack: Stack) -> None:
    backend = stack.backend

    def ask(statement: str, database: str = DATABASE) -> str:
        return psql(backend.folder, backend.postgres.port, statement, database)

    ask(f"CREATE DATABASE {DATABASE}", "postgres")
    try:
        ask(PREPARE)
        counted = count(backend)
        assert "own.zzz,1" in counted.stdout.splitlines(), counted.stderr
        with ThreadPoolExecutor(2) as threads:
            replaced = threads.submit(ask, REPLACE)
            wait_until(lambda: ask(WAITING.format("PgSleep")) == "1", PATIENCE_S, "replaced")
            counting = threads.submit(count, backend)
            replaced.result()
            counted = counting.result()
        assert counted.returncode, counted.stdout
        assert "is restricted" in counted.stderr
        assert ask("SELECT count(*) FROM own.rights") == "0"
    finally:
        ask(f"DROP DATABASE {DATABASE} WITH (FORCE)", "postgres")
        ask("DROP ROLE counted", "postgres")
