"""What a release's objects need of a cluster, read from the objects themselves. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest

T = TypeVar("T")

# Where the objects say which class of storage their volumes want.
CLAIMS = ("accessModes", "resources")


@dataclass(frozen=True)
class Requirements:
    """What must be there before a release can be.

    Attributes:
        kinds: API versions and kinds, each once.
        storage_classes: Named classes; "" stands for the cluster's default.
        ingress_classes: Named classes.
        images: References that pods run.
        with_secret: Those of them that pods pull with a secret.
    """

    kinds: tuple[tuple[str, str], ...]
    storage_classes: tuple[str, ...]
    ingress_classes: tuple[str, ...]
    images: tuple[str, ...]
    with_secret: tuple[str, ...]


def of(manifests: Iterable[Manifest]) -> Requirements:
    """What these objects need; hooks count, since Helm makes them, too."""
    objects = list(manifests)
    return Requirements(
        kinds=_once((item.api_version, item.kind) for item in objects),
        storage_classes=_once(name for item in objects for name in _storage_classes(item.body)),
        ingress_classes=_once(
            name
            for item in objects
            if item.kind == "Ingress" and (name := item.body["spec"].get("ingressClassName"))
        ),
        images=_once(image for item in objects if not item.is_hook for image in _images(item.body)),
        with_secret=_once(
            image
            for item in objects
            for inner in _mappings(item.body)
            if inner.get("imagePullSecrets")
            for image in _images(inner)
        ),
    )


def _storage_classes(value: Any) -> Iterator[str]:
    """The class of each claim, wherever it stands in an operator's resource."""
    for inner in _mappings(value):
        if all(key in inner for key in CLAIMS):
            yield str(inner.get("storageClassName") or "")


def _images(value: Any) -> Iterator[str]:
    for inner in _mappings(value):
        image = inner.get("image")
        # A part that is switched off, such as an exporter of metrics, is never run.
        if isinstance(image, str) and image and inner.get("enabled", True):
            yield image


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """A value and all that it holds, as far as they are mappings; manifests have plain ones."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
