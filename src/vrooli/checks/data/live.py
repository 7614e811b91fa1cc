"""The existing databases and volumes of a namespace. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import objects
from vrooli.kube.status import is_pod_ready
from vrooli.operators.pgo import data_version

Body = Mapping[str, Any]

NAME = "data"
# The remedy if no other way migrates the data.
DUMP = (
    "dump the database (`pg_dumpall`), delete it with `vrooli uninstall --delete-data`, deploy, "
    "and restore the dump"
)


@dataclass(frozen=True)
class Live:
    """The existing objects of a namespace.

    Attributes:
        resources: The operators' resources.
        claims: The volume claims.
        pods: The pods and StatefulSets of PostgreSQL.
        classes: The cluster's storage classes by name; None if they may not be read.
        revisions: The earlier templates of PostgreSQL's StatefulSets; empty if they may not be
            read.
    """

    resources: Sequence[Body] = ()
    claims: Sequence[Body] = ()
    pods: Sequence[Body] = ()
    classes: Mapping[str, Body] | None = None
    revisions: Sequence[Body] = ()

    def of_kind(self, kind: str) -> list[Body]:
        """The resources of a kind that are not being deleted."""
        return [
            body for body in self.resources if body["kind"] == kind and not objects.is_deleted(body)
        ]

    def get(self, manifest: Manifest) -> Body | None:
        """The resource of a manifest's kind and name."""
        return next(
            (
                body
                for body in self.of_kind(manifest.kind)
                if body["metadata"]["name"] == manifest.name
            ),
            None,
        )

    def postgres_versions(self, body: Body) -> set[int]:
        """The major versions of a cluster's data, from instances that are ready or shut down.

        An instance that is not ready may run a version that differs from its data. If none is
        ready, the version is that of the last PGUpgrade or of the first instance.
        """
        is_down = bool(body["spec"].get("shutdown"))
        bodies = [
            pod
            for pod in self.pods
            if (is_down if pod.get("kind") == "StatefulSet" else is_pod_ready(pod))
        ]
        name = body["metadata"]["name"]
        if versions := data_version.data_versions(name, bodies):
            return versions
        upgraded = (body.get("status") or {}).get("postgresVersion")
        version = upgraded or data_version.first_version(name, self.revisions)
        return set() if version is None else {int(version)}
