"""`develop --watch`: pods run edited files until the command ends.

The pods are those of the release, with other values. So a release without these values, which this
command makes at its end, and every `develop` makes, brings the images back.
"""

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
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import Event, Listener, LogLine, Progress, StepEnded
from vrooli.kube.objects import mapping
from vrooli.release import lease, process_identity
from vrooli.release.records import storage
from vrooli.steps import REPEAT_S, Done, Step, first_error
from vrooli.workflows import develop
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.develop_run import DevelopRun
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.releases import DevelopResult
from vrooli.workflows.safeguards import replacement
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent
from vrooli.workflows.urls import release_urls

# Changes of files are collected until none follows within this time, milliseconds; at most so long.
STEP_MS, COLLECT_MS = 20, 200
# How long the release may take to run its images again, seconds.
RESTORE_S = 300.0
# The interval of checks whether another deploy still runs, seconds.
TURN_S = 2.0
NAME = "watch"


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
    """The images that files are part of, without those whose pods run the files themselves."""
    running = {item.image or item.name: item for item in EDITED_SERVICES}
    replaced = {item.name for item in EDITED_SERVICES if item.image}
    names = {*images.SERVICES, *images.DEVELOPMENT} - replaced
    return {
        name
        for name in names
        for path in paths
        if images.is_input(images.find_image(name), path)
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
        try:
            await run.watch(consent)
        except asyncio.CancelledError:
            if not run.is_edited:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()  # the normal end
        except BaseException:
            if run.is_edited:
                await run.restore()
            raise
        await run.restore()
        return develop.result_of(run, run.ended, time.monotonic() - began)


class WatchRun(DevelopRun):
    """The steps of a run whose pods run edited files.

    Attributes:
        is_edited: Whether pods may run edited files.
        ended: The steps of the last release.
    """

    def __init__(
        self,
        options: DevelopOptions,
        choice: Choice,
        exits: contextlib.AsyncExitStack,
        listener: Listener,
    ) -> None:
        super().__init__(options, choice, exits)
        self.is_edited = False
        self.ended: list[StepEnded] = []
        self._listener = listener
        self._group: asyncio.TaskGroup | None = None
        self._synchronizer: Synchronizer | None = None
        self._changes, self._changed = Changes(), asyncio.Event()

    def steps(self) -> list[Step]:
        """All steps, with the images that only these pods run."""
        build = Step("development-images", "Images of edited pods", self._build, ("images",))
        return [build, *(_later(step, build.name) for step in super().steps())]

    async def _build(self, progress: Progress) -> Done:
        return await self.machine.build(images.DEVELOPMENT, progress)

    def overlay(self) -> chart_values.Values:
        """Values of pods that run edited files; none at the end, and for images of the user."""
        if self._group is None:
            return {}
        self.is_edited = True
        services = [item for item in EDITED_SERVICES if item.name not in self.other_images]
        values = overlay.values(services)
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

    async def watch(self, consent: Consent) -> None:
        """Bring everything up, and keep the pods equal to the files, until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                self.ended = await develop.bring_up(self, self._listener, consent)
                urls = release_urls(self.cluster.urls(), self.manifests)
                self._print(f"{urls.get('ui', self.release.name)} runs the files of services/.")
                self._print("Ctrl-C ends this, and runs the built images again.")
                self._group.create_task(self._deploy_changes(consent))
                await self._follow_files()
        except* VrooliError as errors:
            raise first_error(errors) from errors
        finally:
            self._group = None

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
                await self._deploy(consent, sorted(changes.images))
            except VrooliError as error:
                self._print(f"not deployed: {error.message} {error.advice}".rstrip())

    async def _deploy(self, consent: Consent, names: list[str], *, restores: bool = False) -> bool:
        """Build some images, and deploy the chart.

        Returns:
            Whether it did; to restore the images it does not if another deploy has.
        """

        async def build(progress: Progress) -> Done:
            return await self.machine.build(names, progress)

        load = Step("load", "Images into the cluster", self.load_images, ("images",))
        prepare = [Step("images", f"Images {', '.join(names)}", build), load] if names else []
        after = ("load",) if names else ()
        steps = [
            *prepare,
            Step("release", "Helm release", self.ensure_release, after),
            Step("healthy", "Healthy release", self.follow_release, ("release",)),
        ]
        agreed = self.applied.revision
        await self._await_turn()
        async with (
            self.choice.turn(self._listener),
            lease.hold(self.kube, self.release, Progress("release", self._listener)),
        ):
            if restores and not await self._runs_edited_pods():
                return False
            environment = self.options.environment
            await replacement.check_again(self.kube, self.release, environment, consent, agreed)
            self.ended = await self.hold(steps, self._listener)
        return True

    async def _runs_edited_pods(self) -> bool:
        """Whether the newest revision has pods whose files this process updates."""
        record = await storage.fetch_record(self.kube, self.release)
        bodies = (item.body for item in record.manifests) if record else ()
        templates = (mapping(body, "spec", "template") for body in bodies)
        return process_identity.process() in overlay.watchers(templates)

    async def _await_turn(self) -> None:
        """Wait until no other deploy of the release runs."""
        reported = -REPEAT_S
        while True:
            try:
                return await lease.demand_free(self.kube, self.release)
            except PrerequisiteError as error:
                if time.monotonic() - reported >= REPEAT_S:
                    self._print(f"{error.message} This deploy follows.")
                    reported = time.monotonic()
            await asyncio.sleep(TURN_S)

    async def restore(self) -> None:
        """Run the images again that were built before and during the watch."""
        terminal = self._listener

        def report(event: Event) -> None:
            with contextlib.suppress(OSError):  # the terminal may be gone
                terminal(event)

        self._listener = report
        self._print("Running the built images again. A second Ctrl-C leaves the edited pods.")
        try:
            async with asyncio.timeout(RESTORE_S):
                is_restored = await self._deploy(CONFIRMED, [], restores=True)
        except TimeoutError:
            raise WaitTimeoutError(
                f"{self.release.name} did not run the built images within {RESTORE_S:.0f} s.",
                "Run `vrooli develop`: it builds the images and runs them.",
            ) from None
        if not is_restored:
            self._print(
                f"The newest revision of {self.release.name} runs no edited pods of this command, "
                "so it is left as it is."
            )
            return
        self._print("These images lack the edits: `vrooli develop` builds and runs them.")

    def _print(self, text: str) -> None:
        self._listener(LogLine(NAME, text))


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
