"""Which images of a release `develop` replaces with those that were built here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vrooli import images
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.cluster.interface import Cluster
from vrooli.environments import Environment
from vrooli.errors import UsageError
from vrooli.kube import objects
from vrooli.workflows.artifacts import service_images

# The component of the image that the Redis operator runs, and the kind of cluster that never pulls.
REDIS, EMBEDDED = "redis", "embedded"


def find_others(environment: Environment, values: chart_values.Values) -> dict[str, str]:
    """The images that the values name, and that are not built here, by component.

    The values files of staging and production name the images of artifacts, which `develop`
    replaces. What other values files name instead, and each other image in the values of
    development, is a choice of the user.
    """
    named = _references(environment, values)
    replaced = (
        {}
        if environment.name == "dev"
        else _references(environment, chart_values.load(environment))
    )
    return {
        name: reference
        for name, reference in named.items()
        if reference not in (images.find_image(name).reference, replaced.get(name))
    }


def _references(environment: Environment, values: chart_values.Values) -> dict[str, str]:
    """The image of each component that the values enable."""
    manifests = engine.render(values, release=environment.release, namespace=environment.namespace)
    references = {}
    for manifest in manifests:
        if manifest.kind in service_images.WORKLOADS and not manifest.is_hook:
            for container in objects.containers(objects.mapping(manifest.body, "spec", "template")):
                if container["name"] in images.SERVICES:
                    references[container["name"]] = str(container["image"])
        elif manifest.kind == "RedisFailover":
            references[REDIS] = objects.text(manifest.body, "spec", "redis", "image")
    return references


def find_monitoring(environment: Environment, values: chart_values.Values) -> list[str]:
    """The images of monitoring, built here under a fixed reference, that the values name."""
    manifests = engine.render(values, release=environment.release, namespace=environment.namespace)
    named = {text for manifest in manifests for text in _texts(manifest.body)}
    return [name for name in images.MONITORING if images.find_image(name).reference in named]


def _texts(value: Any) -> Iterator[str]:
    """All texts in a part of a manifest, without those of what is not enabled."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values() if value.get("enabled", True) else ():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


async def demand_available(cluster: Cluster, others: Mapping[str, str]) -> None:
    """Refuse images that the nodes of a cluster neither have nor can pull.

    Raises:
        UsageError: An image is missing.
    """
    if cluster.kind != EMBEDDED or not others:
        return
    present = await cluster.image_digests(sorted(set(others.values())))
    for name, reference in others.items():
        if reference not in present:
            raise UsageError(
                f"The values name the image {reference} for {name}. It is not the one that is "
                f"built here, and cluster {cluster.name}, which cannot pull images, does not have "
                "it.",
                "Remove the tag and the repository from the values to run the image that is built "
                "here, or choose a cluster that pulls images: --cluster minikube or kind.",
            )
