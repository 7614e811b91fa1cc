"""The major version of PostgreSQL of a cluster's data. No I/O here.

PGO keeps the data of each major version in a directory of its own, /pgdata/pg15, which it names
in each instance's environment (internal/postgres/config.go). Another version in its resource
points the instances at an empty directory: only a PGUpgrade, which ends by writing the new version
into the resource's status, moves the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vrooli.kube.objects import Body, items, labels, text
from vrooli.operators.pgo import names

CONTAINER = "database"
_DIRECTORY = re.compile(r"/pg(\d+)/?")


def data_version(template: Body) -> int | None:
    """The major version that a pod, or a StatefulSet's template, runs; None if it is unknown."""
    for container in items(template, "spec", "containers"):
        if container.get("name") != CONTAINER:
            continue
        for variable in items(container, "env"):
            if variable["name"] == "PGDATA":
                match = _DIRECTORY.search(text(variable, "value"))
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
        if labels(body).get(names.CLUSTER_LABEL) == cluster
    )
    return {version for version in versions if version is not None}


def first_version(cluster: str, revisions: Iterable[Body]) -> int | None:
    """The major version that a cluster's oldest instance started with; None if it is unknown.

    A template that is restored gets the newest number and keeps its time.

    Args:
        cluster: The PostgresCluster's name.
        revisions: A namespace's ControllerRevisions: the last ten templates of each StatefulSet.
    """
    versions = [
        (text(body, "metadata", "creationTimestamp"), version)
        for body in revisions
        if labels(body).get(names.CLUSTER_LABEL) == cluster
        and (version := data_version(body["data"]["spec"]["template"])) is not None
    ]
    return min(versions)[1] if versions else None


def is_upgraded(cluster: Body) -> bool:
    """Whether a PGUpgrade has moved the data to the version that the resource asks for."""
    upgraded = (cluster.get("status") or {}).get("postgresVersion")
    return upgraded is not None and upgraded == cluster["spec"].get("postgresVersion")
