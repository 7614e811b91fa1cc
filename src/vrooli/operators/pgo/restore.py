"""Whether PGO restores a PostgresCluster in place. No I/O.

PGO restores while the resource has both the settings and the annotation with an id that the user
chooses. Its status has the id of the restore and whether the restore has finished
(internal/controller/postgrescluster/cluster.go and pgbackrest.go).
"""

from __future__ import annotations

from vrooli.kube.objects import Body, annotations_of, dig, text
from vrooli.operators.pgo.names import RESTORE_ANNOTATION

SETTINGS = ("spec", "backups", "pgbackrest", "restore")


def is_restoring(body: Body) -> bool:
    """Whether a requested restore of a PostgresCluster has not finished yet."""
    requested = text(annotations_of(body), RESTORE_ANNOTATION)
    if not requested or not dig(body, *SETTINGS, "enabled"):
        return False
    is_current = text(body, "status", "pgbackrest", "restore", "id") == requested
    return not is_current or not dig(body, "status", "pgbackrest", "restore", "finished")
