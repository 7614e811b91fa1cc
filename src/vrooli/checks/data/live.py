"""The databases and volumes that a namespace holds already. No I/O."""

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
# What is done where nothing else brings the data over, in words.
DUMP = (
    "dump the database (`pg_dumpall`), take it away with `vrooli uninstall --delete-data`, deploy, "
    "and restore the dump"
)


@dataclass(frozen=True)
class Live:
    """What a namespace holds already.

    Attributes:
        resources: The operators' resources.
        claims: The volume claims.
        pods: The pods of PostgreSQL, and its StatefulSets.
        classes: The cluster's storage classes by name; None where they may not be read.
        revisions: The earlier templates of PostgreSQL's StatefulSets; none where they may not be
            read.
    """

    resources: Sequence[Body] = ()
    claims: Sequence[Body] = ()
    pods: Sequence[Body] = ()
    classes: Mapping[str, Body] | None = None
    revisions: Sequence[Body] = ()

    def of_kind(self, kind: str) -> list[Body]:
        """The resources of a kind that aren't being deleted."""
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
        """The major versions of a cluster's data: of the instances that are ready or shut down.

        An instance that isn't ready may run a version that its data don't have. Where none is, it
        is the version that a PGUpgrade noted last, or the one that the oldest instance began with.
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
