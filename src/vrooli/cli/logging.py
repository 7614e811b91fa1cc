"""Where what the event loop and the libraries report goes: to --debug, never else to a terminal.

A command tells its errors itself. What nobody awaited, such as a connection whose client has gone
already, changes nothing about its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

_LOG = logging.getLogger("vrooli.asyncio")


@contextlib.contextmanager
def configured(debug: bool) -> Iterator[None]:
    """Write warnings of libraries, and all of our own, to standard error with ``debug``; else none.

    Without a handler of ours, Python's last resort prints warnings to standard error.
    """
    root, own = logging.getLogger(), logging.getLogger("vrooli")
    handler = logging.StreamHandler(sys.stderr) if debug else logging.NullHandler()
    level = own.level
    root.addHandler(handler)
    own.setLevel(logging.DEBUG if debug else level)
    try:
        yield
    finally:
        own.setLevel(level)
        root.removeHandler(handler)


def report_unawaited() -> None:
    """Have the running event loop log the exceptions that nobody awaits."""
    asyncio.get_running_loop().set_exception_handler(_log)


def _log(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    del loop
    _LOG.error("%s", context.get("message"), exc_info=context.get("exception"))
