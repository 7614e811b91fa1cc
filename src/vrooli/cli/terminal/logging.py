"""Logs of the event loop and of libraries; printed only with --debug.

Commands report their own errors. Exceptions that nobody awaits, such as a closed connection, do not
affect the result.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

from vrooli import inert

_LOG = logging.getLogger("vrooli.asyncio")


@contextlib.contextmanager
def configured(debug: bool) -> Iterator[None]:
    """With ``debug``, write warnings of libraries and all our logs to standard error.

    Otherwise discard them: without a handler, Python prints warnings to standard error.
    """
    root, own = logging.getLogger(), logging.getLogger("vrooli")
    handler = logging.StreamHandler(sys.stderr) if debug else logging.NullHandler()
    handler.setFormatter(_InertFormatter())
    level = own.level
    root.addHandler(handler)
    own.setLevel(logging.DEBUG if debug else level)
    try:
        yield
    finally:
        own.setLevel(level)
        root.removeHandler(handler)


class _InertFormatter(logging.Formatter):
    """Formats a record without control and format characters."""

    def format(self, record: logging.LogRecord) -> str:
        return inert.lines(super().format(record))


def report_unawaited() -> None:
    """Log exceptions that nobody awaits in the running event loop."""
    asyncio.get_running_loop().set_exception_handler(_log)


def _log(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    del loop
    _LOG.error("%s", context.get("message"), exc_info=context.get("exception"))
