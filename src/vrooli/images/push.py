"""Pushes images to registries, under the references that the pods use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vrooli.errors import CommandError, UsageError, VrooliError
from vrooli.events import Progress
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder
from vrooli.images.builds.engine import BuiltImage

# Prefixes of local images, which are in no registry.
LOCAL = "localhost/"
# The placeholder in the chart's values for the user's registry.
PLACEHOLDER = "your_dockerhub_username_here"


def is_pushable(reference: str) -> bool:
    """Whether a reference contains a registry."""
    return not reference.startswith(LOCAL)


def require_registries(references: Mapping[str, Sequence[str]]) -> None:
    """Check, before the build starts, that references name a registry to push to.

    Raises:
        UsageError: A reference has no registry, or only a placeholder.
    """
    all_references = [reference for group in references.values() for reference in group]
    advice = (
        "Set image.registry in the values to a registry's folder that you may push to, such as "
        "registry.example.com/vrooli, or dockerhubUsername to your name at Docker Hub."
    )
    if not all_references:
        raise UsageError("The values do not name a registry to push images to.", advice)
    for reference in all_references:
        if PLACEHOLDER in reference:
            raise UsageError(
                "The values still contain the placeholder for your registry: "
                f"{reference} can't be pushed.",
                advice,
            )


async def push(
    images: Mapping[str, BuiltImage],
    references: Mapping[str, Sequence[str]],
    progress: Progress,
    *,
    builder: Builder | None = None,
) -> dict[str, str]:
    """Push images to registries, with the builder's credentials on this machine.

    Args:
        images: The images, built on this machine, by their names in the catalog.
        references: The references to push each image to, by the same names.
        progress: Reports the image that is being pushed.
        builder: The builder that stores the images; by default the one of this machine.

    Returns:
        The digest of each image in its registry, by reference.

    Raises:
        PrerequisiteError: No builder is available.
        VrooliError: A registry is unreachable or rejects an image.
    """
    pushes = [(images[name], other) for name, others in references.items() for other in others]
    chosen = builder or await detect()
    digests = {}
    for number, (image, reference) in enumerate(pushes, start=1):
        progress.report(f"pushing {number}/{len(pushes)} {reference}")
        try:
            digests[reference] = await chosen.push(image.id, reference)
        except CommandError as error:
            tail = "\n".join(error.output.strip().splitlines()[-5:])
            raise VrooliError(
                f"The image {reference} could not be pushed:\n{tail}",
                f"Check image.registry, and that {chosen.name} is logged in there: "
                f"`{chosen.name} login`.",
            ) from error
    return digests
