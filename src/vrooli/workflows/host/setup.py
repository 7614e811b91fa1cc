"""Prepares a machine: host packages, third-party programs, images."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vrooli import images, programs, project
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.components import gateway_api
from vrooli.cluster.embedded.settings import AddonImages, Settings
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.images import BuiltImage
from vrooli.images.builders.detection import detect
from vrooli.programs import build_caches
from vrooli.programs.catalog import GROUPS
from vrooli.steps import Done, Step
from vrooli.workflows.host import package_manager

# Used by tests only, which build it themselves.
NOT_NEEDED_TO_RUN = frozenset({"helm", "helm-3", "linters"})
# Needed only where this host runs the cluster's containers.
HOST_ONLY = frozenset({"runc"})
# The programs that a cluster runs as processes of the host.
CLUSTER_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"),
    *("kube-proxy", "kube-router", "containerd", "containerd-shim-runc-v2", "ctr"),
    *("runc", "bridge", "host-local", "loopback", "portmap"),
)
# The images that a cluster needs first: its add-ons, the operators, Vault.
FIRST = (*images.ADDONS, *images.OPERATORS, "openbao")


class Machine:
    """Prepares this machine, and records the results.

    Attributes:
        programs: The paths of the third-party programs.
        images: The images, by their names in the catalog.
    """

    def __init__(self, *, runs_clusters: bool = True, keeps_build_caches: bool = False) -> None:
        """Prepare for an embedded cluster, or for one that another program runs.

        Args:
            runs_clusters: Whether this machine runs the cluster.
            keeps_build_caches: Whether further programs are built afterwards.
        """
        self._runs_clusters, self._keeps_build_caches = runs_clusters, keeps_build_caches
        self._has_built = False
        self._installing = asyncio.Lock()
        self.programs: dict[str, Path] = {}
        self.images: dict[str, BuiltImage] = {}

    def steps(self) -> list[Step]:
        """The steps of an embedded cluster with a release."""
        return [
            Step("packages", "Host packages", self.ensure_packages),
            Step("programs", "Third-party programs", self.ensure_programs),
            Step("images", "Images of data and packages", self.ensure_images, ("packages",)),
            Step("service-images", "Images of services", self.ensure_service_images, ("images",)),
            Step(
                "program-images",
                "Images of programs",
                self.ensure_program_images,
                ("packages", "programs", "images"),
            ),
            *self._cleanup_steps(),
        ]

    def _cleanup_steps(self) -> list[Step]:
        if self._keeps_build_caches:
            return []
        return [Step("build-caches", "Build caches", self.delete_build_caches, ("programs",))]

    def cluster_steps(self) -> list[Step]:
        """The steps of an embedded cluster without a release."""
        packages, program_step = self.steps()[:2]
        before = (packages.name, program_step.name)
        first = Step("first-images", "Images of the cluster", self.ensure_first_images, before)
        return [packages, program_step, first, *self._cleanup_steps()]

    async def ensure_packages(self, progress: Progress) -> Done:
        """Install the host packages of the cluster and of the image builds."""
        async with self._installing:
            if self._runs_clusters:
                return await package_manager.ensure_packages(progress)
            return await ensure_builder(progress)

    async def ensure_programs(self, progress: Progress) -> Done:
        """Provide the third-party programs in the cache."""
        names = all_programs(runs_clusters=self._runs_clusters)
        missing = programs.find_missing_groups(names)
        if await programs.need_compiler(names):
            if self._installing.locked():
                progress.report("waiting for the step Host packages of this run")
            async with self._installing:
                await package_manager.ensure_packages(progress, package_manager.COMPILER)
        self.programs = await programs.ensure(names, progress)
        if self._runs_clusters:
            await programs.module_dir(gateway_api.MODULE, progress)
        if not missing:
            return Done(changed=False, detail=f"all {len(names)} are in the cache")
        self._has_built = True
        return Done(changed=True, detail=f"added {', '.join(missing)}")

    async def delete_build_caches(self, progress: Progress) -> Done:
        """Delete the build caches of programs that were added, while the next steps run."""
        if not self._has_built:
            return Done(changed=False, detail="no program was added")
        progress.report("deleting")
        if not await build_caches.delete():
            return Done(changed=False, detail="another run uses them")
        return Done(changed=True, detail="deleted")

    async def ensure_images(self, progress: Progress) -> Done:
        """Build the images without third-party programs, concurrently with the programs."""
        return await self.build(images.WITHOUT_PROGRAMS, progress)

    async def ensure_service_images(self, progress: Progress) -> Done:
        """Build the images with the sources of the services, while the cluster starts."""
        return await self.build(images.SERVICES, progress)

    async def ensure_program_images(self, progress: Progress) -> Done:
        """Build the images that contain third-party programs."""
        return await self.build(images.WITH_PROGRAMS, progress)

    async def ensure_first_images(self, progress: Progress) -> Done:
        """Build the images that a cluster needs first."""
        return await self.build(FIRST, progress)

    async def archive(
        self,
        names: Sequence[str],
        progress: Progress,
        present: Mapping[str, str] | None = None,
    ) -> Path:
        """An archive of some of the images, without those that are present, by their digests."""
        chosen = [self.images[name] for name in names]
        return await images.archive(chosen, progress, present=present)

    def preloaded(self) -> list[BuiltImage]:
        """What a new cluster of a release has from its start; intermediate images have names."""
        return [
            replace(self.images[name], step=False) for name in images.PRELOADED if name not in FIRST
        ]

    async def cluster(
        self,
        name: str,
        ports: Mapping[str, int],
        progress: Progress,
        preloaded: Sequence[BuiltImage] = (),
    ) -> EmbeddedCluster:
        """An embedded cluster with the current programs and images.

        Args:
            name: The name of the cluster.
            ports: Its ports, by their names.
            progress: Reports the current action.
            preloaded: Images that it has from its start, besides its own.
        """
        own = [self.images[image] for image in FIRST]
        archive = await images.archive([*own, *preloaded], progress)
        return EmbeddedCluster(
            name,
            state_dir=project.state_dir(),
            programs={program: self.programs[program] for program in CLUSTER_PROGRAMS},
            images=AddonImages(archive),
            settings=Settings(ports=ports),
        )

    def hashes(self) -> dict[str, str]:
        """The hash of each image's inputs, by its reference."""
        return {image.reference: image.inputs_hash for image in self.images.values()}

    async def build(self, names: Sequence[str], progress: Progress) -> Done:
        """Build some of the images, and their bases, unless they are up to date."""
        built = await images.ensure(names, self.programs, progress)
        self.images |= built
        rebuilt = [name for name, image in built.items() if image.built]
        detail = f"built {', '.join(rebuilt)}" if rebuilt else f"all {len(built)} are up to date"
        return Done(changed=bool(rebuilt), detail=detail)


async def ensure_builder(progress: Progress) -> Done:
    """Provide an image builder: all that this host needs for a cluster of another program.

    Raises:
        PrerequisiteError: There is none, and none can be installed.
    """
    try:
        builder = await detect()
    except PrerequisiteError:
        packages = {name: package_manager.PACKAGES[name] for name in ("buildah", "mmdebstrap")}
        return await package_manager.ensure_packages(progress, packages)
    return Done(changed=False, detail=f"{builder.name} builds images")


def all_programs(*, runs_clusters: bool) -> tuple[str, ...]:
    """All third-party programs of the cluster, the operators and their images.

    Args:
        runs_clusters: Whether this host runs the cluster, and not another program.
    """
    omitted = NOT_NEEDED_TO_RUN if runs_clusters else NOT_NEEDED_TO_RUN | HOST_ONLY
    return tuple(name for group in GROUPS if group.name not in omitted for name in group.packages)
