"""Which requests and repeated messages the services log."""

from __future__ import annotations

import logging

import pytest

from vrooli_shared import logs


@pytest.mark.parametrize(
    ("path", "is_logged"),
    [
        ("/healthcheck", False),
        ("/healthcheck?live", False),
        ("/api/posts?limit=200&x=/healthcheck", True),
        ("/healthcheck/../api/posts", True),
        ("/api/health", True),
    ],
)
def test_only_probes_are_not_logged(path: str, is_logged: bool) -> None:
    """As uvicorn logs a request."""
    access, root = logging.getLogger("uvicorn.access"), logging.getLogger()
    filters, handlers, level = list(access.filters), list(root.handlers), root.level
    try:
        logs.configure("info")
        arguments = ("10.0.0.1:1", "GET", path, "1.1", 200)
        text = '%s - "%s %s HTTP/%s" %d'
        record = access.makeRecord(access.name, logging.INFO, "", 0, text, arguments, None)
        assert bool(access.filter(record)) is is_logged
    finally:
        access.filters[:], root.handlers[:] = filters, handlers
        root.setLevel(level)


def test_a_message_is_repeated_after_a_while_only() -> None:
    """Another message is written at once."""
    is_written = logs.Repeats()

    def record(text: str, seconds: float) -> logging.LogRecord:
        made = logging.makeLogRecord({"msg": text})
        made.created = seconds
        return made

    assert [
        is_written(record(text, seconds))
        for text, seconds in [("a", 0), ("a", 1), ("b", 1), ("a", 29.9), ("a", 30), ("a", 31)]
    ] == [True, False, True, False, True, False]
