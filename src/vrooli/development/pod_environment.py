"""The environment variables of a container: its own, and those of the objects that it names.

Of the cluster's objects, only the values of secrets are used. With a variable such as
`NODE_OPTIONS` or `LD_PRELOAD`, whoever may write an object of the release would run programs on
this host; with the address of a service, this host would send requests for them.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Declared:
    """What a release declares of the variables of its containers.

    Attributes:
        config_maps: The data of its ConfigMaps, by name.
        secrets: The names of the variables that its secrets may set.
    """

    config_maps: Mapping[str, Mapping[str, str]]
    secrets: frozenset[str]

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> Declared:
        """What the objects of a release declare, which were rendered on this host."""
        config_maps = {}
        names = {key.name for spec in catalog.ALL for key in spec.keys}
        for manifest in manifests:
            if manifest.kind == "ConfigMap":
                data = objects.mapping(manifest.body, "data")
                config_maps[manifest.name] = {key: str(value) for key, value in data.items()}
            elif manifest.kind == vso.STATIC_SECRET:
                names |= templates(manifest.body).keys()
        return cls(config_maps, frozenset(names))

    def names(self, kind: str, name: str) -> AbstractSet[str]:
        """The names of the variables that an object may set."""
        return self.secrets if kind == "Secret" else self.config_maps.get(name, {}).keys()


class PodEnvironment:
    """Reads the variables of containers; each object is read once.

    Attributes:
        ignored: The variables that are not declared, by the object that has them.
    """

    def __init__(self, kube: Kube, namespace: str, declared: Declared, progress: Progress) -> None:
        """Prepare to read.

        Args:
            kube: The cluster.
            namespace: The namespace of the objects.
            declared: What the release declares.
            progress: Reports what is waited for.
        """
        self._kube, self._namespace, self._progress = kube, namespace, progress
        self._declared = declared
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
                    variables = await self._declared_of(kind, reference)
                    prefix = source.get("prefix", "")
                    result |= {prefix + key: value for key, value in variables.items()}
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

    async def _declared_of(self, kind: str, reference: Mapping[str, Any]) -> dict[str, str]:
        """The declared variables of an object; the others are noted."""
        data = await self._read(kind, reference)
        names = self._declared.names(kind, reference["name"])
        if others := sorted(data.keys() - names):
            self.ignored[f"{kind} {reference['name']}"] = others
        return {key: value for key, value in data.items() if key in names}

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
        if kind == "ConfigMap" and name in self._declared.config_maps:
            return self._declared.config_maps[name]
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
