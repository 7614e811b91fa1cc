"""`develop --watch`: pods run edited files until the command ends."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import DefaultFilter, awatch

from vrooli import images, project
from vrooli.chart import values as chart_values
from vrooli.development import overlay
from vrooli.development.services import EDITED_SERVICES, EditedService
from vrooli.development.synchronizer import Synchronizer
from vrooli.errors import VrooliError
from vrooli.events import Listener, Progress
from vrooli.steps import Done, Step
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import develop
from vrooli.workflows.development.overlay import OverlayRun
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.releases import DevelopResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent
from vrooli.workflows.urls import release_urls

# Changes of files are collected until none follows within this time, milliseconds; at most so long.
STEP_MS, COLLECT_MS = 20, 200


@dataclass
class Changes:
    """What changed files require, apart from files that pods run.

    Attributes:
        images: The images to build.
        release: Whether to deploy the chart.
    """

    images: set[str] = field(default_factory=set)
    release: bool = False

    def __bool__(self) -> bool:
        return self.release or bool(self.images)


def edited_services(paths: Iterable[Path]) -> list[EditedService]:
    """The services whose pods run one of these files."""
    return [item for item in EDITED_SERVICES if any(map(item.has, paths))]


def images_of(paths: Iterable[Path]) -> set[str]:
    """The images that files are part of, by themselves or by their bases.

    Images whose pods run the files themselves are omitted.
    """
    running = {item.image or item.name: item for item in EDITED_SERVICES}
    replaced = {item.name for item in EDITED_SERVICES if item.image}
    names = {*images.SERVICES, *images.DEVELOPMENT} - replaced
    return {
        name
        for name in names
        for path in paths
        if any(images.is_input(image, path) for image in images.with_bases([name]))
        and not (name in running and running[name].has(path))
    }


async def watch(
    options: DevelopOptions, listener: Listener, consent: Consent = CONFIRMED
) -> DevelopResult:
    """Do what `develop` does, then keep pods equal to the files, until cancelled.

    Raises:
        See `develop`.
    """
    began = time.monotonic()
    choice = await develop.checked_choice(options)
    async with contextlib.AsyncExitStack() as exits:
        run = WatchRun(options, choice, exits, listener)
        await run.run(consent)
        return develop.result_of(run, run.ended, time.monotonic() - began)


class WatchRun(OverlayRun):
    """The steps of a run whose pods run edited files."""

    NAME = "watch"
    ENDED = "These images lack the edits: `vrooli develop` builds and runs them."

    def __init__(
        self,
        options: DevelopOptions,
        choice: Choice,
        exits: contextlib.AsyncExitStack,
        listener: Listener,
    ) -> None:
        super().__init__(options, choice, exits, listener)
        self._synchronizer: Synchronizer | None = None
        self._changes, self._changed = Changes(), asyncio.Event()

    def steps(self) -> list[Step]:
        """All steps, with the images that only these pods run."""
        build = Step(
            "development-images", "Images of edited pods", self._build, ("service-images",)
        )
        return [build, *(_later(step, build.name) for step in super().steps())]

    async def _build(self, progress: Progress) -> Done:
        return await self.machine.build(images.DEVELOPMENT, progress)

    def edited_values(self) -> chart_values.Values:
        """Values of pods that run edited files, without those with images of the user."""
        services = [item for item in EDITED_SERVICES if item.name not in self.other_images]
        values = overlay.values(services, self.file_values())
        for service in services:
            if service.image:
                values["services"][service.key] |= self.local_image(service.image)
        return values

    async def follow_release(self, progress: Progress) -> Done:
        """Follow the release; some of its pods are ready only with their files."""
        if self._synchronizer is None and self._group is not None:
            self._synchronizer = Synchronizer(self.kube, self.release, self._listener)
            self._group.create_task(self._synchronizer.run())
        return await super().follow_release(progress)

    async def work(self, consent: Consent) -> None:
        """Keep the pods equal to the files, until cancelled."""
        assert self._group is not None  # noqa: S101 - it runs in the group
        urls = release_urls(self.cluster.urls(), self.manifests)
        self.print(f"{urls.get('ui', self.release.name)} runs the files of services/.")
        self.print("Ctrl-C ends this, and runs the built images again.")
        self._group.create_task(self._deploy_changes(consent))
        await self._follow_files()

    async def _follow_files(self) -> None:
        async for paths in changed_files(self.options.values):
            for service in edited_services(paths):
                if self._synchronizer is not None:
                    self._synchronizer.edit(service)
            self._changes.images |= images_of(paths)
            self._changes.release |= any(map(self._is_chart, paths))
            if self._changes:
                self._changed.set()

    def _is_chart(self, path: Path) -> bool:
        values = {file.resolve() for file in self.options.values}
        return path.is_relative_to(project.chart_dir()) or path in values

    async def _deploy_changes(self, consent: Consent) -> None:
        """Build the images and deploy the values and templates that change."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            changes, self._changes = self._changes, Changes()
            try:
                await self.deploy(consent, sorted(changes.images))
            except VrooliError as error:
                self.print(f"not deployed: {error.message} {error.advice}".rstrip())


def _later(step: Step, name: str) -> Step:
    """A step, after one more if it loads images."""
    if step.name != "load":
        return step
    return Step(step.name, step.title, step.ensure, (*step.after, name))


async def changed_files(values: Iterable[Path]) -> AsyncIterator[set[Path]]:
    """The files under services/ and k8s/, and the values files, that change together."""
    files = {file.resolve() for file in values}
    folders = {project.root() / "services", project.chart_dir(), project.root() / "images"}
    # An editor that saves by a rename replaces the file, so its folder is watched.
    outside = {file.parent for file in files}
    filter_ = DefaultFilter()
    async for changes in awatch(
        *folders, *outside, watch_filter=filter_, step=STEP_MS, debounce=COLLECT_MS
    ):
        paths = {Path(path) for _, path in changes}
        yield {path for path in paths if path.parent not in outside or path in files} | {
            path for path in paths if any(path.is_relative_to(folder) for folder in folders)
        }
