"""The jobs: write sitemaps, record each execution in Redis, and report their health.

Unlike the server, they require no variable: without a database (packages/jobs/src/index.ts 404-410)
or Redis (packages/server/src/sockets/io.ts 185-195) they log it and continue.
"""

import gzip
import http.server
import json
import os
import pathlib
import sys
import threading
import time

import psycopg
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

# packages/jobs/src/index.ts 159.
JOB = "create sitemaps"
COUNTER = "stand-in-jobs"


class Cache:
    """The connections to Redis: packages/server/src/redisConn.ts 161-194.

    One client is made at the first use, from REDIS_URL, and kept: it connects again after an error
    of the connection, but not after an answer such as READONLY.
    """

    client: redis.Redis | None = None

    @classmethod
    def get(cls) -> redis.Redis:
        """The client; fails without REDIS_URL (redisConn.ts 33-41)."""
        if not (url := os.environ.get("REDIS_URL")):
            raise redis.ConnectionError("REDIS_URL environment variable is not set!")
        retry = Retry(ConstantBackoff(0.05), 3)  # lines 192-200
        cls.client = cls.client or redis.Redis.from_url(
            url, socket_timeout=2, decode_responses=True, retry=retry
        )
        return cls.client


class Health(http.server.BaseHTTPRequestHandler):
    """The health: packages/jobs/src/index.ts 340-391, the only path."""

    def do_GET(self) -> None:
        """Answer 200 if Redis answers, and 503 if not (lines 346-352 and 383-389)."""
        if self.path != "/healthcheck":
            self.send_error(404)
            return
        try:
            names = Cache.get().smembers("cron:jobs")
            status, body = 200, {"status": "healthy", "cronJobs": sorted(names)}
        except redis.RedisError as error:
            status, body = 503, {"status": "unhealthy", "error": type(error).__name__}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def write_sitemaps() -> bool:
    """Write the sitemaps, and return whether all are written.

    packages/jobs/src/schedules/genSitemap.ts 165-166: in the folder that the UI serves. The index
    is beside the folder of the others (386, 444). An error is logged only (447).
    """
    site = pathlib.Path(os.environ.get("PROJECT_DIR", "/srv/app")) / "packages" / "ui" / "dist"
    folder = site / "sitemaps"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "User-0.xml.gz").write_bytes(gzip.compress(b"<urlset/>"))
        (site / "sitemap.xml").write_text("<sitemapindex/>")
    except OSError as error:
        log(f"genSitemap caught error: {error}")
        return False
    log("Sitemap generated successfully")
    return True


def record(written: bool) -> None:
    """Record an execution in Redis (index.ts 267-313), and in PostgreSQL for the test."""
    now = str(time.time_ns() // 1_000_000)
    transaction = Cache.get().pipeline(transaction=True)
    transaction.set(f"cron:lastSuccess:{JOB}", now)
    transaction.set(f"cron:lastExecution:{JOB}", json.dumps({"timestamp": now, "success": True}))
    transaction.sadd("cron:jobs", JOB)
    transaction.incr(COUNTER)
    total = transaction.execute()[-1]
    # packages/server/src/db/postgres.ts 14.
    with psycopg.connect(os.environ["DB_URL"]) as connection:
        connection.execute(
            "INSERT INTO public.executions (pod, total, sitemaps) VALUES (%s, %s, %s) "
            "ON CONFLICT (pod) DO UPDATE SET total = excluded.total, sitemaps = excluded.sitemaps",
            (os.environ["HOSTNAME"], total, written),
        )


def run() -> None:
    """Write the sitemaps at the start (index.ts 161 and 320-323), and record it each second."""
    written = write_sitemaps()
    while True:
        try:
            record(written)
        except (redis.RedisError, psycopg.Error, KeyError) as error:
            # index.ts 225: an execution that cannot be recorded is logged.
            log(f"Failed to record job execution: {type(error).__name__}")
        time.sleep(1)


def log(text: str) -> None:
    """Write to a file only, in production: packages/server/src/events/logger.ts 4, 13 and 37."""
    if project := os.environ.get("PROJECT_DIR"):
        folder = pathlib.Path(project) / "data" / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "combined.log").open("a") as file:
            file.write(f"{text}\n")


def port() -> int:
    """The port of the health: packages/jobs/src/index.ts 393."""
    return int(os.environ.get("JOBS_HEALTH_PORT") or os.environ.get("PORT_JOBS") or 4001)


def main() -> None:
    """Start as packages/jobs/src/index.ts does."""
    # Lines 399-400: nothing starts under the name of another package.
    if os.environ.get("npm_package_name", "@vrooli/jobs") not in ("@vrooli/jobs", ""):  # noqa: SIM112
        sys.exit(0)
    threading.Thread(target=run, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("", port()), Health)
    log(f"Jobs health server running on port {port()}")
    server.serve_forever()


if __name__ == "__main__":
    main()
