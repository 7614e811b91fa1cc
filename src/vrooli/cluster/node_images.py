"""Loads an archive into the nodes of kind and minikube, and verifies that they have its images.

Their programs may succeed without having loaded anything: `minikube image load` exits with 0
after an error in the node, or if there is no such file.
https://github.com/kubernetes/minikube/issues/23471
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from vrooli.cluster import image_archive
from vrooli.cluster.image_archive import ArchivedImage
from vrooli.errors import PrerequisiteError
from vrooli.image_names import canonical
from vrooli.steps import Done

# Lists the images of each node as JSON, by the node's name.
Listing = Callable[[], Awaitable[Mapping[str, str]]]


async def load(
    archive: Path, listing: Listing, import_: Callable[[], Awaitable[object]], advice: str
) -> Done:
    """Load an archive unless each node has its images.

    Args:
        archive: The archive.
        listing: Lists the images of the nodes.
        import_: Runs the program that loads the archive.
        advice: How to find out why images are missing.

    Raises:
        UsageError: The file is not an OCI archive.
        PrerequisiteError: The program failed, or a node does not have an image afterwards.
    """
    images = await asyncio.to_thread(image_archive.read, archive)
    if not missing(images, await listing()):
        return Done(changed=False, detail=f"{archive.name} is loaded")
    await import_()
    if absent := missing(images, await listing()):
        raise PrerequisiteError(
            f"{archive.name} was loaded without an error, but "
            + "; ".join(f"{node} does not have {', '.join(names)}" for node, names in absent)
            + ".",
            advice,
        )
    return Done(changed=True, detail=archive.name)


def missing(
    images: Mapping[str, ArchivedImage], listings: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    """The images that a node does not have under their names, or with another content, by node.

    Args:
        images: The images, by name.
        listings: What each node lists: the output of `crictl images --output json`, or of
            `minikube image ls --format json`.
    """
    result = []
    for node, text in listings.items():
        present = parse(text)
        everything = frozenset[str]().union(*present.values())
        names = [
            name
            for name, image in images.items()
            # Docker has no name for an image that is named by its digest.
            if not {image.digest, image.config}
            & (everything if "@" in name else present.get(canonical(name), frozenset()))
        ]
        if names:
            result.append((node, names))
    return result


def parse(text: str) -> dict[str, frozenset[str]]:
    """The ID and the digests of each image in a listing, by its full name."""
    try:
        listed = json.loads(text)
        entries = listed["images"] if isinstance(listed, dict) else listed or []
        return {
            canonical(name): frozenset(
                [f"sha256:{entry['id'].removeprefix('sha256:')}"]
                + [digest.rpartition("@")[2] for digest in entry.get("repoDigests") or ()]
            )
            for entry in entries
            for name in entry.get("repoTags") or ()
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}
