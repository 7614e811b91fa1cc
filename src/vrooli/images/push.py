"""Images on their way to registries, under the names that pods will give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vrooli.errors import CommandError, UsageError, VrooliError
from vrooli.events import Progress
from vrooli.images.build.engine import BuiltImage
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder

# Names of images of this machine, which no registry has.
LOCAL = "localhost/"
# Stands in the chart's values until somebody writes the name of their own registry.
PLACEHOLDER = "your_dockerhub_username_here"


def is_pushable(reference: str) -> bool:
    """Whether a reference names a registry at all."""
    return not reference.startswith(LOCAL)


def require_registries(references: Mapping[str, Sequence[str]]) -> None:
    """Refuse to push where nothing can be: told before anything is built.

    Raises:
        UsageError: There is no registry's name, or one that only stands for another.
    """
    all_references = [reference for group in references.values() for reference in group]
    advice = (
        "Set image.registry in the values to a registry's folder that you may push to, such as "
        "registry.example.com/vrooli, or dockerhubUsername to your name at Docker Hub."
    )
    if not all_references:
        raise UsageError("These values name no registry to push images to.", advice)
    for reference in all_references:
        if PLACEHOLDER in reference:
            raise UsageError(
                f"The values give no registry of yours yet: {reference} can't be pushed.", advice
            )


async def push(
    images: Mapping[str, BuiltImage],
    references: Mapping[str, Sequence[str]],
    progress: Progress,
    *,
    builder: Builder | None = None,
) -> dict[str, str]:
    """Push images to registries, with the logins that the builder finds on this machine.

    Args:
        images: The images, built here, by their names in the catalog.
        references: Where each goes, by the same names.
        progress: Hears which one is on its way.
        builder: What keeps the images; without it, the one that this machine has.

    Returns:
        The digest that each has in its registry, by reference.

    Raises:
        PrerequisiteError: There is no builder.
        VrooliError: A registry isn't reached, or refuses an image.
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
