"""Client of the Kubernetes API for the requests of a rotation."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Generator, Mapping
from pathlib import Path
from typing import Any

import httpx

Body = dict[str, Any]

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API_SERVER = "https://kubernetes.default.svc"
# Timeout of a request, seconds.
REQUEST_LIMIT_S = 10.0
# Duration of a watch, seconds; then a new one is started.
WATCH_S = 300
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
# API path of each kind.
PATHS = {
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{namespace}/statefulsets",
    "Event": "/apis/events.k8s.io/v1/namespaces/{namespace}/events",
    "RedisFailover": "/apis/databases.spotahome.com/v1/namespaces/{namespace}/redisfailovers",
}


class Kubernetes:
    """Access to the objects of one namespace."""

    def __init__(self, client: httpx.AsyncClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    async def get(self, kind: str, name: str) -> Body | None:
        """The object, or None if it doesn't exist."""
        response = await self._client.get(self._path(kind, name))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._body(response)

    async def list(self, kind: str, labels: Mapping[str, str]) -> list[Body]:
        """The objects with all of these labels."""
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        response = await self._client.get(self._path(kind), params={"labelSelector": selector})
        items: list[Body] = self._body(response)["items"]
        return items

    async def create(self, kind: str, body: Body) -> None:
        """Create the object."""
        self._body(await self._client.post(self._path(kind), json=body))

    async def patch(self, kind: str, name: str, change: Body) -> None:
        """Apply a JSON merge patch to the object."""
        response = await self._client.patch(
            self._path(kind, name), content=json.dumps(change), headers=MERGE_PATCH
        )
        self._body(response)

    async def delete(self, kind: str, name: str, uid: str) -> None:
        """Delete the object if it still has this UID."""
        options = {"preconditions": {"uid": uid}}
        response = await self._client.request("DELETE", self._path(kind, name), json=options)
        if response.status_code not in {httpx.codes.NOT_FOUND, httpx.codes.CONFLICT}:
            self._body(response)

    async def watch(self, kind: str, name: str) -> AsyncIterator[None]:
        """Yield at each change of the named object, until the API server ends the watch."""
        parameters = {
            "watch": "true",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(WATCH_S),
        }
        limits = httpx.Timeout(REQUEST_LIMIT_S, read=WATCH_S + REQUEST_LIMIT_S)
        path = self._path(kind)
        async with self._client.stream("GET", path, params=parameters, timeout=limits) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line:
                    yield

    def _path(self, kind: str, name: str = "") -> str:
        path = PATHS[kind].format(namespace=self.namespace)
        return f"{path}/{name}" if name else path

    @staticmethod
    def _body(response: httpx.Response) -> Body:
        response.raise_for_status()
        body: Body = response.json()
        return body


class ServiceAccountToken(httpx.Auth):
    """The service account token, read for each request since the kubelet renews it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token to a request."""
        request.headers["Authorization"] = f"Bearer {self._path.read_text().strip()}"
        yield request


def in_cluster_client(account: Path = ACCOUNT) -> httpx.AsyncClient:
    """A client of the cluster's API server."""
    return httpx.AsyncClient(
        base_url=API_SERVER,
        verify=ssl.create_default_context(cafile=str(account / "ca.crt")),
        auth=ServiceAccountToken(account / "token"),
        timeout=REQUEST_LIMIT_S,
    )
