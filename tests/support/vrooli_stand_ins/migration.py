"""The migration: what `prisma migrate deploy` does with Vrooli's first two migrations.

packages/server/src/db/migrations/20250501183914_bootstrap/migration.sql 2-3, and
20250523191112_init/migration.sql 139 and 223: both extensions, and columns of their types.
"""

import os
import socket
import sys
import time

import psycopg

# Prisma serializes concurrent migrations with an advisory lock of this number.
LOCK = 72707369
COLUMNS = {"citext": "CITEXT NOT NULL", "vector": "vector(1536)"}


def main() -> None:
    """Migrate through DB_URL (db/postgres.ts 14), in the schema "public"."""
    if os.environ.get("FAIL_MIGRATION"):
        psycopg.connect(os.environ["DB_URL"]).close()
        others = [host for host in os.environ["FAIL_MIGRATION"].split(",") if _is_reachable(host)]
        sys.stdout.write(f"The migration reaches its database and {others}\n")
        sys.exit("Error: P3018 A migration failed to apply.")
    if os.environ.get("HANG_MIGRATION"):
        sys.stdout.write("The migration waits for a lock\n")
        sys.stdout.flush()
        time.sleep(3600)
    with psycopg.connect(os.environ["DB_URL"]) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        for extension, kind in COLUMNS.items():
            connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}"')
            connection.execute(f"CREATE TABLE IF NOT EXISTS public.with_{extension} (a {kind})")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.workers (worker int, pod text, total bigint, "
            "detector boolean, PRIMARY KEY (worker, pod))"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.executions (pod text PRIMARY KEY, total bigint, "
            "sitemaps boolean)"
        )
        connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _is_reachable(address: str) -> bool:
    """Whether a host and port accept a connection."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
