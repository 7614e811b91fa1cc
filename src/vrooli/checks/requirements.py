"""The requirements of a release's objects on a cluster, read from the objects. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.kube import objects
from vrooli.kube.status import Parent, parents_of

T = TypeVar("T")

# The fields that identify a volume claim's spec.
CLAIMS = ("accessModes", "resources")


@dataclass(frozen=True)
class Requirements:
    """The requirements of a release on a cluster.

    Attributes:
        kinds: API versions and kinds, without duplicates.
        storage_classes: Storage classes; "" is the cluster's default.
        ingress_classes: Ingress classes.
        gateways: The Gateways, or their listeners, that HTTPRoutes name, with the hosts that they
            are to serve there; the namespace is empty for the release's own.
        images: The images of the pods.
        with_secret: The images that pods pull with a pull secret.
    """

    kinds: tuple[tuple[str, str], ...]
    storage_classes: tuple[str, ...]
    ingress_classes: tuple[str, ...]
    gateways: tuple[tuple[Parent, tuple[str, ...]], ...]
    images: tuple[str, ...]
    with_secret: tuple[str, ...]


def of(manifests: Iterable[Manifest]) -> Requirements:
    """The requirements of these objects, including hooks."""
    released = list(manifests)
    return Requirements(
        kinds=_once((item.api_version, item.kind) for item in released),
        storage_classes=_once(name for item in released for name in _storage_classes(item.body)),
        ingress_classes=_once(
            name
            for item in released
            if item.kind == "Ingress" and (name := item.body["spec"].get("ingressClassName"))
        ),
        gateways=_once(
            (parent, tuple(objects.texts(item.body, "spec", "hostnames")))
            for item in released
            if item.kind == "HTTPRoute"
            for parent in parents_of(item.body)
        ),
        images=_once(
            image for item in released if not item.is_hook for image in _images(item.body)
        ),
        with_secret=_once(
            image
            for item in released
            for inner in _mappings(item.body)
            if inner.get("imagePullSecrets")
            for image in _images(inner)
        ),
    )


def _storage_classes(value: Any) -> Iterator[str]:
    """The class of each claim, at any depth of an object."""
    for inner in _mappings(value):
        if all(key in inner for key in CLAIMS):
            yield str(inner.get("storageClassName") or "")


def _images(value: Any) -> Iterator[str]:
    for inner in _mappings(value):
        image = inner.get("image")
        # A disabled component, such as a metrics exporter, never runs.
        if isinstance(image, str) and image and inner.get("enabled", True):
            yield image


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """All mappings in a value, at any depth."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
