"""A restore in progress at a database: a release would take its settings away. No I/O.

PGO restores in place while the resource has both the settings and the annotation with an id of the
person's choice; it notes in the status which id it works on, and that this has ended, well or not
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
    """The restore that a deploy of a PostgresCluster would break off."""
    body = live.get(item)
    if body is not None and is_restoring(body):
        yield Finding(
            NAME,
            item.key,
            "a restore of its data is in progress, and a release takes the restore's settings "
            "away.",
            "Wait until status.pgbackrest.restore says `finished: true`. To give the restore up, "
            f"take {SETTINGS} away.",
            f"kubectl describe postgrescluster {item.name} -n {item.namespace}",
        )


def is_restoring(body: Body) -> bool:
    """Whether a restore was asked for at a PostgresCluster that has not ended yet."""
    requested = objects.annotations_of(body).get(RESTORE_ANNOTATION)
    pgbackrest = (body["spec"].get("backups") or {}).get("pgbackrest") or {}
    if not requested or not (pgbackrest.get("restore") or {}).get("enabled"):
        return False
    status = ((body.get("status") or {}).get("pgbackrest") or {}).get("restore") or {}
    return status.get("id") != requested or not status.get("finished")
