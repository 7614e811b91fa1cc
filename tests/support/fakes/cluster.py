"""A strict fake of a cluster: the real client, with objects in memory in the API server's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import kr8s

from support.fakes.cluster_api import ApiServer, Body
from support.fakes.cluster_kinds import BY_NAME
from vrooli.kube import Kube

NAMESPACE = "dev"


class FakeCluster(Kube):
    """A cluster of a few objects. It never sleeps, and an unknown request fails the test.

    Attributes:
        namespace: The namespace of objects that are added without one.
        server: The API server, which holds the objects.
        requests: The requests so far, in order; discovery and reviews are not in it.
        failures: The requests that fail.
    """

    def __init__(self, *objects: Mapping[str, Any], namespace: str = NAMESPACE) -> None:
        self.server = ApiServer()
        super().__init__(cast(kr8s.asyncio.Api, self.server))
        self.namespace = namespace
        self.requests, self.failures = self.server.requests, self.server.failures
        self.add(*objects)

    def add(self, *objects: Mapping[str, Any]) -> None:
        """Add or replace objects."""
        for item in objects:
            kind = BY_NAME[item["kind"]]
            assert item.get("apiVersion", kind.api_version) == kind.api_version, item
            namespace = item["metadata"].get("namespace") or self.namespace
            self.server.store(kind, namespace if kind.is_namespaced else None, item)

    def remove(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete an object as another client would."""
        del self.server.objects[self._key(kind, name, namespace)]

    def find(self, kind: str, name: str, namespace: str | None = None) -> Body | None:
        """An object as it is now, without a request; None if there is none."""
        return self.server.objects.get(self._key(kind, name, namespace))

    def body(self, kind: str, name: str, namespace: str | None = None) -> Body:
        """An object as it is now, without a request."""
        return self.server.objects[self._key(kind, name, namespace)]

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """The requests that write: verb, kind and name."""
        reads = ("get", "list", "log")
        return [
            (item.verb, item.kind, item.name) for item in self.requests if item.verb not in reads
        ]

    def _key(self, kind: str, name: str, namespace: str | None) -> tuple[str, str | None, str]:
        is_namespaced = BY_NAME[kind].is_namespaced
        return kind, (namespace or self.namespace) if is_namespaced else None, name


def namespace(name: str = NAMESPACE, **metadata: Any) -> Body:
    """A Namespace."""
    return {"kind": "Namespace", "metadata": {"name": name, **metadata}}
