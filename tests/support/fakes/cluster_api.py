"""The API server of the fake cluster: objects in memory, read and changed by REST."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from support.fakes.cluster_failures import Failures, Outage
from support.fakes.cluster_kinds import BY_PLURAL, KINDS, Kind
from support.fakes.merge_patch import merge
from support.fakes.pod_programs import PodPrograms
from support.fakes.selectors import has_fields, has_labels

Body = dict[str, Any]
NAMES_ONLY = "as=PartialObjectMetadata"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Request(NamedTuple):
    """A request that reached the fake cluster.

    Attributes:
        verb: get, list, create, update, patch, apply (a server-side apply), delete or log.
        kind: The kind of the object.
        name: The object; empty for a list.
        namespace: Its namespace; None for all namespaces, and for kinds that have none.
        labels: The label selector of a list.
        fields: The field selector of a list.
    """

    verb: str
    kind: str
    name: str
    namespace: str | None
    labels: str = ""
    fields: str = ""


class Review(NamedTuple):
    """A question about this client's permissions."""

    verb: str
    kind: str
    namespace: str | None
    subresource: str = ""
    name: str = ""


class ApiServer:
    """Responds to the client in the place of kr8s. A request that it does not know fails the test.

    Attributes:
        objects: The objects, by kind, namespace (None if the kind has none) and name.
        requests: The requests so far, in order; discovery and reviews are not in it.
        reviews: The permissions that were asked for, in order.
        logs: The lines of logs, by namespace, pod and container.
        failures: The requests that fail.
        outage: Whether it is gone, for programs in pods as well.
        unserved: API versions that the server does not have.
        programs: The programs that can run in pods.
        is_healthy: Whether the server reports that it is ready.
        on_request: Called with each request before its response is made.
    """

    _session = None

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str | None, str], Body] = {}
        self.requests: list[Request] = []
        self.reviews: list[Review] = []
        self.logs: dict[tuple[str, str, str], Sequence[str]] = {}
        self.failures = Failures()
        self.outage = Outage()
        self.programs = PodPrograms(self.outage)
        self.open_websocket = self.programs.connect
        self.namespace = "default"
        self.unserved: set[str] = set()
        self.is_healthy = True
        self.on_request: Callable[[Request], None] = lambda request: None
        self._version = 0

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"the fake cluster has no {name}")

    def store(self, kind: Kind, namespace: str | None, body: Mapping[str, Any]) -> Body:
        """Add or replace an object, which gets a new resourceVersion."""
        self._version += 1
        place = {"namespace": namespace} if namespace else {}
        metadata = {**body["metadata"], **place, "resourceVersion": str(self._version)}
        stored = {"apiVersion": kind.api_version, **body, "metadata": metadata}
        result = self.objects[kind.name, namespace, metadata["name"]] = copy.deepcopy(stored)
        return result

    @asynccontextmanager
    async def call_api(
        self,
        method: str,
        *,
        version: str,
        base: str = "",
        namespace: str | None = None,
        url: str = "",
        params: Mapping[str, str] | None = None,
        content: str = "",
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        **_: Any,
    ) -> AsyncIterator[httpx.Response]:
        """Respond as the API server does."""
        self.outage.demand_answer()
        accept = (headers or {}).get("accept", "")
        call = _Call(self, method, version, namespace, url, params or {}, content)
        if base:
            yield _health(self, base)
        elif not url:
            yield _discovery(self, version)
        elif version == "authorization.k8s.io/v1":
            yield _review(self, url, json.loads(content))
        elif url.endswith("/log"):
            yield await call.log()
        elif stream:
            pytest.fail(f"the fake cluster has no watches: {version} {url}")
        else:
            yield await call.respond(names_only=NAMES_ONLY in accept)


class _Call(NamedTuple):
    """One request about objects."""

    server: ApiServer
    method: str
    version: str
    namespace: str | None
    url: str
    params: Mapping[str, str]
    content: str

    async def respond(self, *, names_only: bool) -> httpx.Response:
        plural, _, name = self.url.partition("/")
        kind = BY_PLURAL.get((self.version, plural)) or pytest.fail(f"unknown kind: {self}")
        fields, labels = self.params.get("fieldSelector", ""), self.params.get("labelSelector", "")
        verb = VERBS.get(self.method) or ("get" if name else "list")
        is_apply = self.method == "PATCH" and "fieldManager" in self.params
        request = Request(
            "apply" if is_apply else verb, kind.name, name, self.namespace, labels, fields
        )
        if verb != "list" and bool(self.namespace) != kind.is_namespaced:
            pytest.fail(f"a request without its namespace: {request}")
        self.server.requests.append(request)
        self.server.on_request(request)
        if (failure := await self.server.failures.of(*request[:4])) is not None:
            return failure
        if verb == "list":
            return self._list(kind, names_only=names_only)
        if verb == "create":
            return self._create(kind)
        key = kind.name, self.namespace, name
        existing = self.server.objects.get(key)
        if existing is None and not is_apply:
            return _status(404, f'{plural} "{name}" not found')
        return _ok(existing) if verb == "get" else self._change(verb, kind, key, existing)

    def _change(
        self, verb: str, kind: Kind, key: tuple[str, str | None, str], existing: Body | None
    ) -> httpx.Response:
        if verb == "delete":
            return self._delete(key)
        return self._update(kind, existing) if verb == "update" else self._patch(kind, existing)

    async def log(self) -> httpx.Response:
        """The last lines of a container's log."""
        pod, container = self.url.split("/")[1], self.params["container"]
        request = Request("log", "Pod", pod, self.namespace)
        self.server.requests.append(request)
        if (failure := await self.server.failures.of(*request[:4])) is not None:
            return failure
        place = (self.namespace or "", pod, container)
        if place not in self.server.logs:
            pytest.fail(f"the fake cluster has no log of {place}")
        lines = list(self.server.logs[place])
        if tail := self.params.get("tailLines"):
            lines = lines[-int(tail) :]
        return httpx.Response(200, text="\n".join(lines))

    def _list(self, kind: Kind, *, names_only: bool) -> httpx.Response:
        labels, fields = self.params.get("labelSelector", ""), self.params.get("fieldSelector", "")
        items = [
            {"metadata": body["metadata"]} if names_only else _without_kind(body)
            for (name, namespace, _), body in self.server.objects.items()
            if name == kind.name
            and self.namespace in (None, namespace)
            and has_labels(body, labels)
            and has_fields(body, fields)
        ]
        return _ok({"metadata": {}, "items": items})

    def _create(self, kind: Kind) -> httpx.Response:
        body = json.loads(self.content)
        if (kind.name, self.namespace, body["metadata"]["name"]) in self.server.objects:
            return _status(409, f"{kind.plural} already exists")
        return self._write(kind, body)

    def _update(self, kind: Kind, existing: Body | None) -> httpx.Response:
        body = json.loads(self.content)
        version = (existing or {}).get("metadata", {}).get("resourceVersion")
        if body["metadata"].get("resourceVersion") != version:
            return _status(409, "the object has been modified")
        return self._write(kind, body)

    def _patch(self, kind: Kind, existing: Body | None) -> httpx.Response:
        # What the client applies is YAML, and JSON is YAML.
        merged = merge(existing or {}, json.loads(self.content))
        if merged == existing or self.params.get("dryRun"):
            return _ok(merged)
        return self._write(kind, merged)

    def _write(self, kind: Kind, body: Body) -> httpx.Response:
        if kind.is_namespaced and ("Namespace", None, self.namespace) not in self.server.objects:
            return _status(404, f'namespaces "{self.namespace}" not found')
        return _ok(self.server.store(kind, self.namespace, body))

    def _delete(self, key: tuple[str, str | None, str]) -> httpx.Response:
        objects = self.server.objects
        uid = json.loads(self.content).get("preconditions", {}).get("uid")
        if uid not in (None, objects[key]["metadata"].get("uid")):
            return _status(409, "the UID in the precondition does not match the UID in record")
        del objects[key]
        if key[0] == "Namespace":
            for place in [place for place in objects if place[1] == key[2]]:
                del objects[place]
        return _ok({})


def _health(server: ApiServer, base: str) -> httpx.Response:
    if base.startswith("/readyz"):
        return httpx.Response(200 if server.is_healthy else 500, text="ok")
    if base != "/version":
        pytest.fail(f"the fake cluster does not know {base}")
    return _ok({"gitVersion": "v1.37.2"})


def _discovery(server: ApiServer, version: str) -> httpx.Response:
    kinds = [kind for kind in KINDS if kind.api_version == version]
    if not kinds:
        pytest.fail(f"the fake cluster does not know {version}")
    if version in server.unserved:
        return _status(404, "the server could not find the requested resource")
    resources = [
        {"kind": kind.name, "name": kind.plural, "namespaced": kind.is_namespaced} for kind in kinds
    ]
    return _ok({"resources": resources})


def _review(server: ApiServer, url: str, body: Body) -> httpx.Response:
    """Responds about this client's permissions only."""
    if url == "selfsubjectrulesreviews":
        return _ok({"status": {"resourceRules": []}})
    if url != "selfsubjectaccessreviews":
        pytest.fail(f"the fake cluster does not know {url}")
    attributes = body["spec"]["resourceAttributes"]
    (kind,) = [
        kind
        for kind in KINDS
        if kind.plural == attributes["resource"]
        and kind.api_version.rpartition("/")[0] == attributes["group"]
    ]
    namespace, subresource = attributes.get("namespace"), attributes.get("subresource", "")
    name = attributes.get("name", "")
    review = Review(attributes["verb"], kind.name, namespace, subresource, name)
    server.reviews.append(review)
    resource = f"{kind.name}/{subresource}" if subresource else kind.name
    return _ok(
        {"status": {"allowed": not server.failures.forbids(review.verb, resource, namespace)}}
    )


def _without_kind(body: Body) -> Body:
    """An object as an item of a list, which has neither version nor kind."""
    return {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}


def _ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def _status(code: int, message: str) -> httpx.Response:
    return httpx.Response(code, json={"message": message})
