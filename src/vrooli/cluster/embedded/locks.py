"""One run at a time changes a cluster."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from vrooli.cluster.embedded import reports
from vrooli.cluster.embedded.settings import Layout
from vrooli.errors import EnvironmentLackError


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the cluster's lock; it ends with the process at the latest.

    Raises:
        EnvironmentLackError: Another process holds it.
    """
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = reports.hold(layout.lock)
    if descriptor is None:
        other = reports.holder(layout.lock)
        raise EnvironmentLackError(
            f"Process {other} is changing the cluster {layout.name} right now.",
            f"Wait until it has ended, or end it (`kill {other}`), then run the command again.",
        )
    try:
        yield
    finally:
        os.close(descriptor)
