"""A restored copy of PostgreSQL: a PostgresCluster whose data PGO restores from a repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.backups.targets import Recovery
from vrooli.kube import common_labels
from vrooli.kube.objects import Body, labels, mapping, name, text
from vrooli.operators.pgo import names

POLICIES = "networking.k8s.io/v1"
LABELS = {common_labels.MANAGED_BY: "vrooli", common_labels.PART_OF: "vrooli"}
# The label of everything that a restore makes: the name of the copy.
COPY = "vrooli.com/restored-copy"
# The port of pgBackRest in the pod with the repositories.
REPOSITORY_PORT = 8432
# An option of one repository, such as repo2-path.
_OPTION = re.compile(r"repo\d+-")


@dataclass(frozen=True)
class Place:
    """Where a copy is.

    Attributes:
        name: The name of its PostgresCluster.
        namespace: Its namespace.
    """

    name: str
    namespace: str

    def __str__(self) -> str:
        """The copy as messages name it."""
        return f"{self.namespace}/{self.name}"


def data_source(source: Body, recovery: Recovery) -> dict[str, Any]:
    """The data source of a copy (PGO: spec.dataSource.postgresCluster)."""
    jobs = mapping(source, "spec", "backups", "pgbackrest", "jobs")
    fields = ("resources", "affinity", "tolerations", "priorityClassName")
    return {
        "postgresCluster": {
            "clusterName": name(source),
            "clusterNamespace": source["metadata"]["namespace"],
            "repoName": f"repo{recovery.repository}",
            "options": list(recovery.options),
            **{key: jobs[key] for key in fields if key in jobs},
        }
    }


def independent(source: Body, place: Place, recovery: Recovery) -> Body:
    """A copy for looking at: one instance, and backups in a volume of its own."""
    spec = dict(mapping(source, "spec"))
    for key in ("proxy", "databaseInitSQL", "dataSource", "monitoring"):
        spec.pop(key, None)
    spec["instances"] = [{**spec["instances"][0], "replicas": 1}]
    spec["patroni"] = _asynchronous(mapping(spec, "patroni"))
    spec["backups"] = {"pgbackrest": _volume_only(mapping(spec, "backups", "pgbackrest"))}
    return _cluster(source, place, {**spec, "dataSource": data_source(source, recovery)})


def _asynchronous(patroni: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**mapping(patroni, "dynamicConfiguration"), "synchronous_mode": False}
    return {**patroni, "dynamicConfiguration": settings}


def _volume_only(pgbackrest: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of backups without object storage, which belongs to the source."""
    repos = [
        {key: value for key, value in item.items() if key != "schedules"}
        for item in pgbackrest["repos"]
        if "volume" in item
    ][:1]
    options = {
        key: value
        for key, value in mapping(pgbackrest, "global").items()
        if not _OPTION.match(key) or (repos and key.startswith(f"{repos[0]['name']}-"))
    }
    rest = {
        key: value
        for key, value in pgbackrest.items()
        if key not in ("configuration", "manual", "restore")
    }
    return {**rest, "repos": repos, "global": options}


def _cluster(source: Body, place: Place, spec: Mapping[str, Any]) -> Body:
    return {
        "apiVersion": source["apiVersion"],
        "kind": names.KIND,
        "metadata": {
            "name": place.name,
            "namespace": place.namespace,
            "labels": {**LABELS, COPY: place.name},
        },
        "spec": dict(spec),
    }


def is_copy(body: Body) -> bool:
    """Whether a restore has made an object."""
    return bool(text(labels(body), COPY))
