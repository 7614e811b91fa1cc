"""The images of the services in a release: their references, and their digests in an artifact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.artifact import tags
from vrooli.artifact.model import Artifact
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.errors import UsageError

# The kinds of clusters whose nodes resolve an image by its digest: they pull it, or containerd
# has it under that name. docker in minikube, and the loaded images of kind, have only tags.
PULLS, LOADS = "context", "embedded"
# The kinds of the objects that run a service.
WORKLOADS = ("Deployment", "StatefulSet")


def references(manifests: Iterable[Manifest]) -> dict[str, set[str]]:
    """The references of each service's image in the workloads of a release; sets may be empty."""
    result: dict[str, set[str]] = {service: set() for service in tags.SERVICES}
    for manifest in manifests:
        if manifest.kind in WORKLOADS and not manifest.is_hook:
            for container in manifest.body["spec"]["template"]["spec"]["containers"]:
                result.get(container["name"], set()).add(container["image"])
    return result


def digests(artifact: Artifact, kind: str) -> dict[str, str]:
    """The digest of each image as a cluster gets it, by reference.

    Args:
        artifact: The record.
        kind: The kind of cluster: it gets the images from a registry, or from the archive.
    """
    if kind == PULLS:
        return {name: one for image in artifact.images for name, one in image.pushed.items()}
    if kind == LOADS:
        return {
            name: image.digest
            for image in artifact.images
            if image.archive is not None and image.digest is not None
            for name in image.references
            if "@" not in name  # the values themselves name a digest
        }
    return {}


def pin(
    values: Mapping[str, Any], manifests: Iterable[Manifest], recorded: Mapping[str, str]
) -> tuple[chart_values.Values, dict[str, str]]:
    """Values with the digest of each recorded image in its tag: ``1.2.3@sha256:…``.

    Args:
        values: The values.
        manifests: What the chart renders of them.
        recorded: The digests, by reference.

    Returns:
        The values, and those of the digests that they contain, by reference.
    """
    result, used = dict(values), dict[str, str]()
    for service, names in references(manifests).items():
        for name in sorted(names & recorded.keys()):
            override: Any = f"{name.rpartition(':')[2]}@{recorded[name]}"
            for key in reversed(tags.TAGS[service]):
                override = {key: override}
            result = chart_values.merge(result, override)
            used[name] = recorded[name]
    return result, used


def demand_recorded(artifact: Artifact, archive: str, archived: Mapping[str, str]) -> None:
    """Refuse an archive whose images differ from the artifact's record, before it is loaded.

    Args:
        artifact: The record.
        archive: The archive, below the artifact.
        archived: The digests of the images in it, by reference.

    Raises:
        UsageError: An image is missing, has another digest, or is not in the record.
    """
    recorded = {
        name: image.digest
        for image in artifact.images
        if image.archive == archive
        for name in image.references
    }
    for name in sorted(recorded.keys() | archived.keys()):
        if (actual := archived.get(name)) != recorded.get(name):
            raise UsageError(
                f"The archive {archive} of the artifact contains {_named(name, actual)}, "
                f"but its record names {_named(name, recorded.get(name))}.",
                "Build the artifact again, or copy it again.",
            )


def _named(name: str, digest: str | None) -> str:
    return f"{name} with the digest {digest}" if digest else f"no image {name}"
