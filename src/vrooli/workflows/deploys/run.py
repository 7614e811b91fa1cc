"""The steps of a deploy."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from vrooli.artifact.model import Artifact
from vrooli.chart import values
from vrooli.cluster import image_archive
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.events import Progress
from vrooli.release.records import size
from vrooli.release.records.metadata import Kind, Origin
from vrooli.steps import Done, Step
from vrooli.workflows.artifacts import service_images
from vrooli.workflows.deploys.change import ReleaseChange
from vrooli.workflows.options import DeployOptions


class DeployRun(ReleaseChange):
    """The steps of one deploy and the data that they share."""

    options: DeployOptions

    def __init__(self, options: DeployOptions, artifact: Artifact) -> None:
        self.artifact = artifact
        self.digests: dict[str, str] = {}
        source = artifact.source
        self.origin = Origin.of(
            Kind.ARTIFACT, artifact.version, source.revision, modified=source.modified
        )
        super().__init__(
            options,
            options.folder / artifact.chart.package,
            values.read_all(
                options.folder / file for file in artifact.values_files(options.environment.name)
            ),
        )

    def pin_images(self, kind: str) -> None:
        """Name the images by the digests that a kind of cluster gets them with, if recorded."""
        recorded = service_images.digests(self.artifact, kind)
        self.values, self.digests = service_images.pin(self.values, self.manifests, recorded)
        if self.digests:
            self.rendering = self._render()

    def demand_fitting(self) -> None:
        """Refuse a release that Helm could not store.

        Raises:
            UsageError: It is too large.
        """
        release = self.options.environment.release
        size.demand_fitting(release, self.package, self.values, self.rendering)

    def read_steps(self) -> list[Step]:
        """The steps that only read."""
        return [
            Step("images", "Images of the artifact", self.load_images),
            Step("checks", "Cluster", self.check),
            Step("changes", "What changes", self.compare),
        ]

    async def load_images(self, progress: Progress) -> Done:
        """Load the artifact's images into a local cluster; other clusters pull them."""
        by = "digest" if self.digests else "tag"
        archives = sorted({image.archive for image in self.artifact.images if image.archive})
        cluster = self.reached.cluster
        if not archives or cluster.kind == service_images.PULLS:
            return Done(changed=False, detail=f"this cluster pulls its images, by {by}")
        with ExitStack() as stack:
            # What is loaded is what was compared, even if somebody replaces the files meanwhile.
            paths = {
                archive: stack.enter_context(image_archive.unchanged(self.options.folder / archive))
                for archive in archives
            }
            for archive, path in paths.items():
                archived = await asyncio.to_thread(image_archive.digests, path)
                service_images.demand_recorded(self.artifact, archive, archived)
            changed = False
            for path in paths.values():
                changed |= (await cluster.load_images(path, progress)).changed
                if isinstance(cluster, StoredCluster):
                    await cluster.name_images_by_digest(path)
        return Done(changed, f"{', '.join(archives)}, by {by}")

    def images(self) -> set[str]:
        """The images of the artifact, which are loaded at the same time."""
        if self.reached.cluster.kind == service_images.PULLS:
            return set()
        packed = [image for image in self.artifact.images if image.archive]
        names = {reference for image in packed for reference in image.references}
        return names | {f"{name}@{digest}" for name, digest in self.digests.items()}
