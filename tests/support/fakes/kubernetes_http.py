"""A Kubernetes API of a few objects in memory, for programs that ask with httpx."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from support.fakes.merge_patch import merge
from vrooli_rotator.kubernetes import PATHS

Body = dict[str, Any]
NAMESPACE = "somewhere"


class FakeKubernetes:
    """Objects by kind and name; a kind or a method that it does not know fails the test."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Body] = {}
        self.on_delete: Callable[[str, str], None] = lambda kind, name: None
        self.on_change: Callable[[str, str], None] = lambda kind, name: None

    def client(self) -> httpx.AsyncClient:
        """A client that asks these objects."""
        transport = httpx.MockTransport(self._answer)
        return httpx.AsyncClient(base_url="https://kubernetes", transport=transport)

    def put(self, kind: str, name: str, body: Body) -> None:
        """Add or replace an object."""
        metadata = {"uid": uuid4().hex, "creationTimestamp": now(), **body.get("metadata", {})}
        self.objects[kind, name] = {**body, "metadata": {**metadata, "name": name}}

    def put_secret(self, name: str, **data: str) -> None:
        """Add or replace a Secret, by its data as text."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.put("Secret", name, {"data": encoded})

    def secret(self, name: str) -> dict[str, str]:
        """The data of a Secret as text."""
        data = self.objects["Secret", name].get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def reasons(self) -> list[str]:
        """The reasons of all events, in order."""
        return [body["reason"] for (kind, _), body in self.objects.items() if kind == "Event"]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        kind, name = _parse(request.url.path)
        answer = getattr(self, f"_{request.method.lower()}")
        response: httpx.Response = answer(kind, name, request)
        return response

    def _get(self, kind: str, name: str, request: httpx.Request) -> httpx.Response:
        if name:
            result = self.objects.get((kind, name))
            return httpx.Response(404) if result is None else httpx.Response(200, json=result)
        selector = request.url.params["labelSelector"]
        labels = dict(pair.split("=", 1) for pair in selector.split(","))
        items = [
            body
            for (item_kind, _), body in self.objects.items()
            if item_kind == kind and labels.items() <= body["metadata"].get("labels", {}).items()
        ]
        return httpx.Response(200, json={"items": items})

    def _post(self, kind: str, _: str, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["metadata"]["name"]
        assert (kind, name) not in self.objects
        self.put(kind, name, body)
        self.on_change(kind, name)
        return httpx.Response(201, json=body)

    def _patch(self, kind: str, name: str, request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/merge-patch+json"
        if (kind, name) not in self.objects:
            return httpx.Response(404, json={"message": f"{kind} {name} not found"})
        self.objects[kind, name] = merge(self.objects[kind, name], json.loads(request.content))
        self.on_change(kind, name)
        return httpx.Response(200, json=self.objects[kind, name])

    def _delete(self, kind: str, name: str, request: httpx.Request) -> httpx.Response:
        uid = json.loads(request.content)["preconditions"]["uid"]
        if self.objects[kind, name]["metadata"]["uid"] != uid:
            return httpx.Response(409)
        del self.objects[kind, name]
        self.on_delete(kind, name)
        return httpx.Response(200, json={})


def now() -> str:
    """The moment, as the API server writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(path: str) -> tuple[str, str]:
    for kind, template in PATHS.items():
        prefix = template.format(namespace=NAMESPACE)
        if path == prefix:
            return kind, ""
        if path.startswith(f"{prefix}/"):
            return kind, path.removeprefix(f"{prefix}/")
    raise AssertionError(f"an unknown path: {path}")
