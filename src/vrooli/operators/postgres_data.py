"""Which major version of PostgreSQL runs on a cluster's data. Pure readings, no I/O.

PGO keeps the data of each major version in a directory of its own, /pgdata/pg15, which it names
in each instance's environment (internal/postgres/config.go). Another version in its resource
points the instances at an empty directory: only a PGUpgrade, which ends by writing the new version
into the resource's status, moves the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.operators.claims import PGO

Body = Mapping[str, Any]

CONTAINER = "database"
_DIRECTORY = re.compile(r"/pg(\d+)/?")


def data_version(template: Body) -> int | None:
    """The major version that a pod, or a StatefulSet's template, runs; None when it doesn't say."""
    for container in (template.get("spec") or {}).get("containers") or ():
        if container.get("name") != CONTAINER:
            continue
        for entry in container.get("env") or ():
            if entry["name"] == "PGDATA":
                match = _DIRECTORY.search(str(entry.get("value") or ""))
                return int(match[1]) if match else None
    return None


def data_versions(cluster: str, bodies: Iterable[Body]) -> set[int]:
    """The major versions that a cluster's instances run.

    Args:
        cluster: The PostgresCluster's name.
        bodies: A namespace's pods, StatefulSets, or both.
    """
    versions = (
        data_version(body["spec"]["template"] if body.get("kind") == "StatefulSet" else body)
        for body in bodies
        if (body["metadata"].get("labels") or {}).get(f"{PGO}/cluster") == cluster
    )
    return {version for version in versions if version is not None}


def first_version(cluster: str, revisions: Iterable[Body]) -> int | None:
    """The major version that a cluster's oldest instance began with; None when nothing tells.

    A template that comes back takes the newest number and keeps its time.

    Args:
        cluster: The PostgresCluster's name.
        revisions: A namespace's ControllerRevisions, which keep a StatefulSet's last ten templates.
    """
    known = [
        (str(body["metadata"].get("creationTimestamp") or ""), version)
        for body in revisions
        if (body["metadata"].get("labels") or {}).get(f"{PGO}/cluster") == cluster
        and (version := data_version(body["data"]["spec"]["template"])) is not None
    ]
    return min(known)[1] if known else None


def is_upgraded(cluster: Body) -> bool:
    """Whether a PGUpgrade has brought the data to the version that the resource asks for."""
    upgraded = (cluster.get("status") or {}).get("postgresVersion")
    return upgraded is not None and upgraded == cluster["spec"].get("postgresVersion")
