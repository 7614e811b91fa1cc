"""What a machine is prepared with: host packages, third-party programs, images."""

from __future__ import annotations

from pathlib import Path

from vrooli import images, programs
from vrooli.events import Progress
from vrooli.images import BuiltImage
from vrooli.programs.catalog import GROUPS
from vrooli.steps import Done, Step
from vrooli.workflows import host

# Wanted by the tests alone, which ask for it themselves.
NOT_NEEDED_TO_RUN = frozenset({"helm"})


def all_programs() -> tuple[str, ...]:
    """Every program that the cluster, the operators and their images are made of."""
    return tuple(
        name for group in GROUPS if group.name not in NOT_NEEDED_TO_RUN for name in group.packages
    )


class Machine:
    """Prepares this machine, and knows afterwards what is there.

    Attributes:
        programs: The paths of the third-party programs.
        images: The images, by their names in the catalog.
    """

    def __init__(self) -> None:
        self.programs: dict[str, Path] = {}
        self.images: dict[str, BuiltImage] = {}

    def cluster_steps(self) -> list[Step]:
        """What an embedded cluster stands on."""
        return [
            Step("packages", "Host packages", host.ensure_packages),
            Step("programs", "Third-party programs", self.ensure_programs),
            Step(
                "program-images",
                "Images of programs",
                self.ensure_program_images,
                ("packages", "programs"),
            ),
        ]

    def steps(self) -> list[Step]:
        """What an embedded cluster and a release on it stand on."""
        own = Step("images", "Images of services and data", self.ensure_images, ("packages",))
        return [*self.cluster_steps(), own]

    async def ensure_programs(self, progress: Progress) -> Done:
        """Have the third-party programs in the cache."""
        names = all_programs()
        made = programs.missing(names)
        self.programs = await programs.ensure(names, progress)
        detail = f"made {', '.join(made)}" if made else f"all {len(names)} are in the cache"
        return Done(changed=bool(made), detail=detail)

    async def ensure_images(self, progress: Progress) -> Done:
        """Build the images that need no third-party program: they can be built meanwhile."""
        return await self._build(images.WITHOUT_PROGRAMS, progress)

    async def ensure_program_images(self, progress: Progress) -> Done:
        """Build the images of the cluster's add-ons and the operators."""
        return await self._build(images.OF_PROGRAMS, progress)

    async def cluster_archive(self, progress: Progress) -> Path:
        """The archive of the images that a cluster starts with."""
        return await images.archive([self.images[name] for name in images.OF_PROGRAMS], progress)

    async def _build(self, names: tuple[str, ...], progress: Progress) -> Done:
        built = await images.ensure(names, self.programs, progress)
        self.images |= built
        made = [name for name, image in built.items() if image.built]
        detail = f"built {', '.join(made)}" if made else f"all {len(built)} are as they should be"
        return Done(changed=bool(made), detail=detail)
