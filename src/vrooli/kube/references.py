"""The Secrets and ConfigMaps that pods read, from their spec. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.kube.objects import Body, containers, items, mapping, text

SECRET, CONFIG_MAP = "Secret", "ConfigMap"
# The fields of a volume and a projected source, of envFrom, and of valueFrom.
_FIELDS = {
    "secret": SECRET,
    "secretRef": SECRET,
    "secretKeyRef": SECRET,
    "configMap": CONFIG_MAP,
    "configMapRef": CONFIG_MAP,
    "configMapKeyRef": CONFIG_MAP,
}


@dataclass(frozen=True)
class Reference:
    """A Secret or ConfigMap that an object names, or one key of it.

    Attributes:
        kind: Secret or ConfigMap.
        name: Its name.
        key: The key; empty if no certain one is needed.
        is_optional: Whether the reader starts without it.
    """

    kind: str
    name: str
    key: str = ""
    is_optional: bool = False


def of_pod(spec: Body) -> Iterator[Reference]:
    """What the containers and volumes of a pod's spec read; pull secrets are not included."""
    for container in containers({"spec": spec}):
        for source in items(container, "envFrom"):
            yield from of_source(source)
        for variable in items(container, "env"):
            yield from of_source(mapping(variable, "valueFrom"))
    for volume in items(spec, "volumes"):
        yield from of_source(volume)
        for source in items(volume, "projected", "sources"):
            yield from of_source(source)


def of_source(source: Body) -> Iterator[Reference]:
    """What one source of an environment or a volume reads."""
    for field, kind in _FIELDS.items():
        block = mapping(source, field)
        if name := text(block, "secretName") or text(block, "name"):
            keys = [text(item, "key") for item in items(block, "items")] or [text(block, "key")]
            for key in keys:
                yield Reference(kind, name, key, block.get("optional") is True)
