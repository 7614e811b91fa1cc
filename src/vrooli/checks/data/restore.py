"""A restore in progress, whose settings a release would remove. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.data.live import NAME, Live
from vrooli.findings import Finding
from vrooli.operators.pgo.restore import SETTINGS, is_restoring


def in_progress(item: Manifest, live: Live) -> Iterator[Finding]:
    """The restore of a PostgresCluster that a deploy would interrupt."""
    body = live.get(item)
    if body is not None and is_restoring(body):
        yield Finding(
            NAME,
            item.key,
            "a restore of its data is in progress, and a release would remove the settings of the "
            "restore.",
            "Wait until status.pgbackrest.restore has `finished: true`. To cancel the restore, "
            f"remove {'.'.join(SETTINGS)}.",
            f"kubectl describe postgrescluster {shell.name(item.name)} -n "
            f"{shell.label(item.namespace)}",
        )
