"""The environment variables of a container: its own, and those of the objects that it names.

Values come from the cluster, names do not: with a variable such as `NODE_OPTIONS` or `LD_PRELOAD`,
whoever may write a ConfigMap or a secret of the release would run programs on this host.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, objects
from vrooli.operators.vso import names as vso
from vrooli.operators.vso.templates import templates
from vrooli.secrets import catalog

# How long a Secret may take to exist in a new release, seconds.
CREATED_S = 300.0
REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")


def declared_names(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The variables that a release declares: in its ConfigMaps, and in its secrets.

    Args:
        manifests: Its objects, rendered on this host.
    """
    names = {key.name for spec in catalog.ALL for key in spec.keys}
    for manifest in manifests:
        if manifest.kind == "ConfigMap":
            names |= objects.mapping(manifest.body, "data").keys()
        elif manifest.kind == vso.STATIC_SECRET:
            names |= templates(manifest.body).keys()
    return frozenset(names)


class PodEnvironment:
    """Reads the variables of containers; each ConfigMap and Secret is read once.

    Attributes:
        ignored: The variables that are not declared, by the object that has them.
    """

    def __init__(
        self, kube: Kube, namespace: str, names: frozenset[str], progress: Progress
    ) -> None:
        """Prepare to read.

        Args:
            kube: The cluster.
            namespace: The namespace of the objects.
            names: The variables that whole objects may set.
            progress: Reports what is waited for.
        """
        self._kube, self._namespace, self._progress = kube, namespace, progress
        self._names = names
        self._data: dict[tuple[str, str], Mapping[str, str]] = {}
        self.ignored: dict[str, list[str]] = {}

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
                    result |= self._declared_only(
                        f"{kind} {reference['name']}",
                        {prefix + key: value for key, value in data.items()},
                    )
        for item in objects.items(container, "env"):
            value = await self._value(item, result)
            if value is not None:
                result[item["name"]] = value
        for name, value in result.items():
            if "\0" in value:
                raise VrooliError(
                    f"The variable {name} has a byte 0, so no process can have it.",
                    "Correct it where its value comes from.",
                )
        return result

    def _declared_only(self, place: str, variables: Mapping[str, str]) -> dict[str, str]:
        if others := sorted(variables.keys() - self._names):
            self.ignored[place] = others
        return {name: value for name, value in variables.items() if name in self._names}

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
        # A process gets the same bytes, also those that are no text.
        return {key: os.fsdecode(base64.b64decode(value)) for key, value in data.items()}


def _missing(body: Mapping[str, Any] | None) -> str | None:
    return None if body is not None else "it does not exist yet"


def _expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by a variable, and `$$` by `$`, as Kubernetes does."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    return REFERENCE.sub(replace, text)
