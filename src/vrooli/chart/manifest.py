"""Rendered Kubernetes objects, as one type for all readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

HOOK = "helm.sh/hook"
RESOURCE_POLICY = "helm.sh/resource-policy"
# libyaml's loader is ten times as fast as Python's own.
_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE_LOADER):  # type: ignore[misc]
    """Reads ``=`` and ``<<`` as strings, which Helm writes without quotes."""


for _tag in ("tag:yaml.org,2002:value", "tag:yaml.org,2002:merge"):
    _Loader.add_constructor(_tag, _SAFE_LOADER.construct_yaml_str)


@dataclass(frozen=True)
class Manifest:
    """One rendered object.

    Attributes:
        api_version: Its API version, such as apps/v1.
        kind: Its kind, such as Deployment.
        name: Its name.
        namespace: Its namespace.
        source: The path of its template, such as templates/deployment.yaml.
        body: The whole object.
    """

    api_version: str
    kind: str
    name: str
    namespace: str
    source: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Kind and name, such as Deployment/server."""
        return f"{self.kind}/{self.name}"

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.body["metadata"].get("annotations") or {}

    @property
    def is_hook(self) -> bool:
        """Whether it is a Helm hook, such as a test, and not part of the release."""
        return HOOK in self.annotations


def parse(text: str, namespace: str, source: str = "") -> Iterator[Manifest]:
    """The objects of a YAML text."""
    for body in yaml.load_all(text, Loader=_Loader):
        if body:
            yield from_body(body, namespace, source)


def from_body(body: Mapping[str, Any], namespace: str, source: str = "") -> Manifest:
    """The manifest of an object; ``namespace`` is its namespace unless it sets one."""
    metadata = body["metadata"]
    return Manifest(
        api_version=body["apiVersion"],
        kind=body["kind"],
        name=metadata["name"],
        namespace=metadata.get("namespace", namespace),
        source=source,
        body=body,
    )
