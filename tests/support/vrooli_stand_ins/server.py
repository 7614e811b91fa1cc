"""The server: requires its variables, records its number, and uses Redis and the detector."""

import http.server
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

import psycopg
import redis

# packages/server/src/index.ts 37-51: the server exits with 1 if one is missing.
REQUIRED = (
    "JWT_PRIV",
    "JWT_PUB",
    "PROJECT_DIR",
    "VITE_SERVER_LOCATION",
    "VAPID_PUBLIC_KEY",
    "VAPID_PRIVATE_KEY",
    "WORKER_ID",
)
# packages/server/src/utils/fileStorage.ts 68-70: this name, not one from the environment.
DETECTOR = "http://nsfw-detector:8000/"
COUNTER = "stand-in"


def detector_answers() -> bool:
    """Whether the detector answers at its literal name, with any status."""
    try:
        urllib.request.urlopen(DETECTOR, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def count() -> None:
    """Write to Redis each second through REDIS_URL: redisConn.ts 33-41, one master, no Sentinel."""
    url, worker = os.environ["REDIS_URL"], os.environ["WORKER_ID"]
    while True:
        try:
            total = redis.Redis.from_url(url, socket_timeout=2).incr(COUNTER)
            with psycopg.connect(os.environ["DB_URL"]) as connection:
                connection.execute(
                    "INSERT INTO public.workers (worker, pod, total, detector) "
                    "VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT (worker, pod) DO UPDATE SET total = excluded.total, "
                    "detector = excluded.detector",
                    (worker, os.environ["HOSTNAME"], total, detector_answers()),
                )
        except (redis.RedisError, psycopg.Error) as error:
            log(f"write failed: {type(error).__name__}")
        time.sleep(1)


def log(text: str) -> None:
    """Write to a file only, as packages/server/src/events/logger.ts 4 and 37 do in production."""
    folder = pathlib.Path(os.environ["PROJECT_DIR"]) / "data" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "combined.log").open("a") as file:
        file.write(f"{text}\n")


def main() -> None:
    """Start as packages/server/src/index.ts does."""
    # Lines 372-376: nothing starts under another name.
    if os.environ.get("npm_package_name") != "@vrooli/server":  # noqa: SIM112 - its real name
        sys.exit(0)
    for name in REQUIRED:
        if not os.environ.get(name):
            sys.exit(f"{name} not in environment variables. Stopping server")
    log(f"worker {os.environ['WORKER_ID']} starts")
    threading.Thread(target=count, daemon=True).start()
    # packages/server/src/server.ts 5.
    port = int(os.environ.get("PORT_API") or os.environ.get("PORT_SERVER") or 5329)
    server = http.server.ThreadingHTTPServer(("", port), http.server.SimpleHTTPRequestHandler)
    server.serve_forever()


if __name__ == "__main__":
    main()
