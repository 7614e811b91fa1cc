"""Nodes have the locally built images, which no registry has."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from vrooli.checks.images.reference import name_of
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest

# Images with this prefix are built on the local machine: no registry has them.
LOCAL = "localhost/"
BUILD = "vrooli build --images"
# The kubelet's limits for a node's status: images (nodeStatusMaxImages, by default) and names of
# each image (MaxNamesPerImageInNodeStatus).
MAX_IMAGES = 50
MAX_NAMES = 5


async def run(site: Site) -> CheckResult:
    """Check that a node has each local image."""
    images = local(site)
    if all(is_present(image, site.loaded) for image in images):
        return judge(images, [], site.loaded)
    return judge(images, await site.objects("v1", "Node"), site.loaded)


def judge(
    images: list[str], nodes: list[Manifest], loaded: frozenset[str] = frozenset()
) -> CheckResult:
    """The images that no node has; unknown if a node's list may be truncated."""
    names = on_nodes(nodes) | loaded
    missing = [image for image in images if not is_present(image, names)]
    message = f"{len(images) - len(missing)} of {len(images)} local images are on nodes"
    if missing and not loaded and any(map(is_truncated, nodes)):
        return CheckResult(
            message, unavailable=(f"{', '.join(missing)} (the nodes' image lists are truncated)",)
        )
    return CheckResult(
        message,
        tuple(
            Finding(
                "images",
                image,
                "neither a node nor a registry has it.",
                f"Run `{BUILD}` to add it to the artifact.",
                BUILD,
            )
            for image in missing
        ),
    )


def is_present(image: str, names: Collection[str]) -> bool:
    """Whether some names include an image; runtimes store one with a digest without its tag."""
    return image in names or name_of(image) in names


def on_nodes(nodes: Iterable[Manifest]) -> set[str]:
    """All names of the images that nodes report."""
    images = [image for node in nodes for image in node.get("status", {}).get("images") or []]
    return {name for image in images for name in image.get("names") or []}


def is_truncated(node: Manifest) -> bool:
    """Whether a node may have more images or image names than it reports."""
    images = node.get("status", {}).get("images") or []
    return len(images) >= MAX_IMAGES or any(
        len(image.get("names") or []) >= MAX_NAMES for image in images
    )


def local(site: Site) -> list[str]:
    """The release's images that no registry has."""
    return [image for image in site.requirements.images if image.startswith(LOCAL)]


def skip_reason(site: Site) -> str:
    """Why no local image is needed."""
    return "" if local(site) else "all images are pulled from registries"


CHECK = Check(
    "images",
    "Local images",
    f"a node has each image with the name {LOCAL}…, which no registry has",
    run,
    skip_reason,
    stops_deploy=True,
)
