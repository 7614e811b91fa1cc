"""Logs as JSON lines on standard output, one object per line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's time, level, logger, message and, if any, its traceback."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _is_not_probe(record: logging.LogRecord) -> bool:
    """Whether a record isn't about a probe; probes would outnumber all other requests.

    The arguments of a record of uvicorn are the client, the method, the path with its query, the
    version of HTTP, and the status.
    """
    match record.args:
        case (_, _, str(path), _, _):
            return path.partition("?")[0] != "/healthcheck"
    return True


# How long a repeated message of a logger is left out, seconds.
REPEATED_S = 30.0


class Repeats:
    """Leaves out messages that a logger has written a short time ago.

    The pool of connections logs each of its attempts, two in a second while a database is down.
    """

    def __init__(self) -> None:
        self._times: dict[str, float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether this record is to be written."""
        self._times = {
            text: time for text, time in self._times.items() if record.created - time < REPEATED_S
        }
        return self._times.setdefault(record.getMessage(), record.created) == record.created


# Libraries with verbose logs. The multipart parser even logs the content of requests.
NOISY = (
    "httpcore",
    "httpx",
    "multipart",
    "psycopg.pool",
    "python_multipart",
    "redis",
    "saq",
    "sse_starlette",
)


def configure(level: str) -> None:
    """Write all logs of this level and above to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").addFilter(_is_not_probe)
    logging.getLogger("psycopg.pool").addFilter(Repeats())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
