"""The others in a cluster: releases of the chart, and the namespaces of other environments."""

from __future__ import annotations

from dataclasses import dataclass

from vrooli.environments import ENVIRONMENTS
from vrooli.kube import Kube
from vrooli.kube.objects import name
from vrooli.release.model import Release
from vrooli.release.records.discovery import find_releases

PRODUCTION = ENVIRONMENTS["prod"]


@dataclass(frozen=True)
class Other:
    """Another user of a cluster.

    Attributes:
        title: What it is, for people.
        is_production: Whether it is production.
    """

    title: str
    is_production: bool


async def find_others(kube: Kube, release: Release) -> list[Other]:
    """The other releases in a cluster, and the namespaces of other environments without one.

    Raises:
        VrooliError: They cannot be listed.
    """
    releases = set(await find_releases(kube)) - {(release.namespace, release.name)}
    with_release = {namespace for namespace, _ in releases} | {release.namespace}
    present = {name(body) for body in await kube.list("v1", "Namespace", names_only=True)}
    environments = {item.namespace for item in ENVIRONMENTS.values()}
    return [
        *(
            Other(
                f"release {instance} in namespace {namespace}",
                instance == PRODUCTION.release or namespace == PRODUCTION.namespace,
            )
            for namespace, instance in sorted(releases)
        ),
        *(
            Other(f"namespace {namespace}", namespace == PRODUCTION.namespace)
            for namespace in sorted(environments & present - with_release)
        ),
    ]
