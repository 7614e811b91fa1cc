"""The application's components, from their Deployments, Services and ConfigMaps.

No I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.graph.model import Reason
from vrooli.graph.relations import Endpoint
from vrooli.kube import common_labels, objects
from vrooli.kube.objects import Body
from vrooli.redaction import Redactor

# Node ids of the components, in the order of the diagrams.
IDS: Mapping[str, str] = {
    "ui": "UI",
    "server": "Server",
    "jobs": "Jobs",
    "nsfw-detector": "NSFW",
    "adminer": "Adminer",
    "rotator": "Rotator",
}
# Maximum length of a value in a reason, characters.
MAX_VALUE_LENGTH = 80
_REDACTOR = Redactor()


@dataclass(frozen=True)
class Setting:
    """One environment variable of a component, with the field that sets it."""

    name: str
    value: str
    reason: Reason


@dataclass(frozen=True)
class Component:
    """One Deployment.

    Attributes:
        id: The node id.
        name: Its component label, or its own name.
        labels: Its pods' labels.
        endpoint: Its pods, as the end of a connection.
        image: The image of its first container, without registry and tag.
        settings: Its environment variables, as far as manifests contain the values.
        secrets: The Secrets that it reads, with the fields that name them.
        config_maps: The ConfigMaps that it reads, likewise.
        pull_secrets: The Secrets with which its images are pulled, likewise.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    endpoint: Endpoint
    image: str
    settings: tuple[Setting, ...]
    secrets: Mapping[str, Reason]
    config_maps: Mapping[str, Reason]
    pull_secrets: Mapping[str, Reason]

    @property
    def port(self) -> str:
        """The port of its Service, or else of its container."""
        return str(self.endpoint.ports[0]) if self.endpoint.ports else ""


def find_components(manifests: Iterable[Manifest]) -> tuple[Component, ...]:
    """The components of a release; those of the specification's diagrams come first."""
    own = [item for item in manifests if not item.is_hook]
    components = [
        _build_component(item, own) for item in own if item.kind in ("Deployment", "StatefulSet")
    ]
    order = list(IDS.values())
    listed = [item for item in components if item.id in order]
    others = sorted((item for item in components if item.id not in order), key=lambda item: item.id)
    return (*sorted(listed, key=lambda item: order.index(item.id)), *others)


def services_of(manifests: Iterable[Manifest], labels: Mapping[str, str]) -> Iterator[Manifest]:
    """The Services that select pods with these labels."""
    for item in manifests:
        selector = objects.mapping(item.body, "spec", "selector")
        if item.kind == "Service" and selector and selector.items() <= labels.items():
            yield item


def format_value(value: str) -> str:
    """A value for display: redacted, on one line, shortened."""
    line = " ".join(_REDACTOR.text(value).split())
    return line if len(line) <= MAX_VALUE_LENGTH else f"{line[: MAX_VALUE_LENGTH - 1]}…"


def _build_component(deployment: Manifest, own: list[Manifest]) -> Component:
    body = deployment.body
    labels = objects.labels(objects.mapping(body, "spec", "template"))
    selected = objects.mapping(body, "spec", "selector", "matchLabels") or labels
    name = labels.get(common_labels.COMPONENT) or deployment.name
    containers = objects.items(body, "spec", "template", "spec", "containers")
    image = objects.text(containers[0], "image") if containers else ""
    services = list(services_of(own, labels))
    endpoint = Endpoint(
        title=name,
        labels=tuple((str(key), str(value)) for key, value in selected.items()),
        workload=(deployment.kind, deployment.name),
        services=tuple(item.name for item in services),
        ports=tuple(dict.fromkeys((*_service_ports(services), *_container_ports(containers)))),
    )
    return Component(
        id=IDS.get(name) or camel_case(name),
        name=name,
        labels=labels,
        endpoint=endpoint,
        image=_repository(image),
        settings=tuple(_settings(deployment, containers, own)),
        secrets=dict(_references(deployment, containers, "secret")),
        config_maps=dict(_references(deployment, containers, "configMap")),
        pull_secrets=dict(
            pull_secrets(deployment.key, body, "spec", "template", "spec", "imagePullSecrets")
        ),
    )


def pull_secrets(key: str, body: Body, *path: str) -> Iterator[tuple[str, Reason]]:
    """The Secrets of a list of imagePullSecrets, with the field of each."""
    for index, item in enumerate(objects.items(body, *path)):
        if name := objects.text(item, "name"):
            yield name, Reason(key, f"{'.'.join(path)}[{index}]", name)


def camel_case(name: str) -> str:
    """A name in camel case: vrooli-extra becomes VrooliExtra."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _repository(image: str) -> str:
    """docker.io/steelcityamir/safe-content-ai:1.1.0 becomes steelcityamir/safe-content-ai."""
    parts = image.partition("@")[0].split("/")
    first = parts[0] if len(parts) > 1 else ""
    if "." in first or ":" in first or first == "localhost":
        parts = parts[1:]
    return "/".join(parts).partition(":")[0]


def _service_ports(services: Iterable[Manifest]) -> Iterator[int]:
    for service in services:
        for port in objects.items(service.body, "spec", "ports"):
            if number := objects.number(port, "port"):
                yield number


def _container_ports(containers: Iterable[Body]) -> Iterator[int]:
    for container in containers:
        for port in objects.items(container, "ports"):
            if number := objects.number(port, "containerPort"):
                yield number


def _settings(
    deployment: Manifest, containers: Iterable[Body], own: Iterable[Manifest]
) -> Iterator[Setting]:
    maps = {item.name: item for item in own if item.kind == "ConfigMap"}
    for container in containers:
        for index, item in enumerate(objects.items(container, "env")):
            name, value = objects.text(item, "name"), objects.text(item, "value")
            if value:
                field = f"env[{index}] {name}"
                yield Setting(name, value, Reason(deployment.key, field, format_value(value)))
        for source in objects.items(container, "envFrom"):
            config_map = maps.get(objects.text(source, "configMapRef", "name"))
            if config_map is None:
                continue
            for key, value in objects.mapping(config_map.body, "data").items():
                reason = Reason(config_map.key, f"data.{key}", format_value(str(value)))
                yield Setting(str(key), str(value), reason)


def _references(
    deployment: Manifest, containers: Iterable[Body], kind: str
) -> Iterator[tuple[str, Reason]]:
    """The objects of a kind that a component reads: envFrom, env, volumes."""
    for container in containers:
        for index, item in enumerate(objects.items(container, "envFrom")):
            if name := objects.text(item, f"{kind}Ref", "name"):
                yield name, Reason(deployment.key, f"envFrom[{index}].{kind}Ref", name)
        for index, item in enumerate(objects.items(container, "env")):
            if name := objects.text(item, "valueFrom", f"{kind}KeyRef", "name"):
                yield name, Reason(deployment.key, f"env[{index}].{kind}KeyRef", name)
    key = "secretName" if kind == "secret" else "name"
    volumes = objects.items(deployment.body, "spec", "template", "spec", "volumes")
    for index, item in enumerate(volumes):
        if name := objects.text(item, kind, key):
            yield name, Reason(deployment.key, f"volumes[{index}].{kind}", name)
