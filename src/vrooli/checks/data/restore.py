"""A restore in progress, whose settings a release would remove. No I/O.

PGO restores in place while the resource has both the settings and the annotation with an id that
the user chooses. Its status has the id of the restore and whether the restore has finished
(internal/controller/postgrescluster/cluster.go and pgbackrest.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.checks.data.live import NAME, Live
from vrooli.findings import Finding
from vrooli.kube import objects
from vrooli.operators.pgo.names import RESTORE_ANNOTATION

Body = Mapping[str, Any]

SETTINGS = "spec.backups.pgbackrest.restore"


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
            f"remove {SETTINGS}.",
            f"kubectl describe postgrescluster {item.name} -n {item.namespace}",
        )


def is_restoring(body: Body) -> bool:
    """Whether a requested restore of a PostgresCluster has not finished yet."""
    requested = objects.annotations_of(body).get(RESTORE_ANNOTATION)
    pgbackrest = (body["spec"].get("backups") or {}).get("pgbackrest") or {}
    if not requested or not (pgbackrest.get("restore") or {}).get("enabled"):
        return False
    status = ((body.get("status") or {}).get("pgbackrest") or {}).get("restore") or {}
    return status.get("id") != requested or not status.get("finished")
