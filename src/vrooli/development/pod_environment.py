"""The environment variables of a container: its own, and those of the objects that it names."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, objects

# How long a Secret may take to exist in a new release, seconds.
CREATED_S = 300.0
REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")


class PodEnvironment:
    """Reads the variables of containers; each ConfigMap and Secret is read once."""

    def __init__(self, kube: Kube, namespace: str, progress: Progress) -> None:
        self._kube, self._namespace, self._progress = kube, namespace, progress
        self._data: dict[tuple[str, str], Mapping[str, str]] = {}

    async def read(self, container: Mapping[str, Any]) -> dict[str, str]:
        """The variables of a container, as Kubernetes sets them.

        Raises:
            VrooliError: An object can't be read, or a variable has a source that only a pod has.
        """
        result: dict[str, str] = {}
        for source in objects.items(container, "envFrom"):
            for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if reference := source.get(field):
                    data = await self._read(kind, reference)
                    prefix = source.get("prefix", "")
                    result |= {prefix + key: value for key, value in data.items()}
        for item in objects.items(container, "env"):
            value = await self._value(item, result)
            if value is not None:
                result[item["name"]] = value
        return result

    async def _value(self, item: Mapping[str, Any], before: Mapping[str, str]) -> str | None:
        source = item.get("valueFrom")
        if not source:
            return _expand(str(item.get("value", "")), before)
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if reference := source.get(field):
                return (await self._read(kind, reference)).get(reference["key"])
        raise VrooliError(
            f"The variable {item['name']} has a value that only a pod has: {', '.join(source)}.",
            "Give it a value of its own in a values file: `--values FILE`.",
        )

    async def _read(self, kind: str, reference: Mapping[str, Any]) -> Mapping[str, str]:
        name, is_optional = str(reference["name"]), bool(reference.get("optional"))
        if (kind, name) not in self._data:
            self._data[kind, name] = await self._fetch(kind, name, is_optional)
        return self._data[kind, name]

    async def _fetch(self, kind: str, name: str, is_optional: bool) -> Mapping[str, str]:
        if is_optional:
            body = await self._kube.get("v1", kind, name, self._namespace) or {}
        else:
            body = await self._kube.wait_for(
                "v1", kind, name, self._namespace, _missing, CREATED_S, self._progress
            )
        data = objects.mapping(body, "data")
        if kind == "ConfigMap":
            return {key: str(value) for key, value in data.items()}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _missing(body: Mapping[str, Any] | None) -> str | None:
    return None if body is not None else "it does not exist yet"


def _expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by a variable, and `$$` by `$`, as Kubernetes does."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    return REFERENCE.sub(replace, text)
