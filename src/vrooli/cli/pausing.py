"""``vrooli pause`` and ``vrooli resume``: freeze an embedded cluster, and let it continue."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli.cli import examples, options
from vrooli.cli.cluster import DEFAULT_NAME, Name, show
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.clusters import ClusterResult

PAUSE_EXAMPLES = examples.epilog(
    ("Pause the default cluster", "vrooli pause"),
    ("Pause the cluster demo", "vrooli pause demo"),
)
RESUME_EXAMPLES = examples.epilog(
    ("Resume the default cluster", "vrooli resume"),
    ("Resume the cluster demo", "vrooli resume demo"),
)


def pause(
    name: Name = DEFAULT_NAME,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Pause an embedded cluster: its processes stay in memory and use no CPU.

    The cluster does not respond until it is resumed. After a reboot, it is stopped.
    """

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.pause(name, listener)

    execute(work, show, output, debug)


def resume(
    name: Name = DEFAULT_NAME,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Resume a paused cluster, and wait until its node and add-ons are ready."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.resume(name, listener)

    execute(work, show, output, debug)
