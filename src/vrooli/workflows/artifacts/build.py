"""Build an artifact from this source, for deploys."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vrooli import images, project
from vrooli.artifact import model, pack, sbom, tags, verify
from vrooli.artifact.model import Artifact, ArtifactChart, ArtifactImage, ArtifactSource
from vrooli.chart import engine, registry, values
from vrooli.chart.engine import Severity
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener, Outcome, Progress
from vrooli.images import BuiltImage
from vrooli.locks import locked
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.artifacts import build_values, sboms, service_images
from vrooli.workflows.artifacts.git_metadata import source
from vrooli.workflows.host.setup import ensure_builder
from vrooli.workflows.results.artifacts import BuildResult
from vrooli.workflows.results.base import StepResult

ARCHIVE = f"{model.IMAGES}/services.tar"


@dataclass(frozen=True)
class BuildOptions:
    """The options of build.

    Attributes:
        version: The services' version, written as their tags; None takes the project's version
            and writes nothing.
        environments: The environments whose values are included.
        out: The folder of all artifacts; None is build_output in the repository.
        write_source: Write the tags into the repository's values files, too.
        images: Build and include the services' images.
        push: An OCI registry's folder to push the chart to.
        push_images: Build the images, and push them to the registries that the values name, too.
        values: Values files that are added to those of each environment, the last one wins.
    """

    version: str | None = None
    environments: tuple[Environment, ...] = field(default=tuple(ENVIRONMENTS.values()))
    out: Path | None = None
    write_source: bool = False
    images: bool = False
    push: str | None = None
    push_images: bool = False
    values: tuple[Path, ...] = ()

    @property
    def builds_images(self) -> bool:
        """Whether the images are built; pushed images are also in the artifact."""
        return self.images or self.push_images

    def __post_init__(self) -> None:
        if self.version is not None:
            model.check_version(self.version)
        elif self.write_source:
            raise UsageError(
                "--write-source requires a version.",
                "Add --version.",
            )
        if self.push is not None:
            registry.check_remote(self.push)
        for file in self.values:
            build_values.check(file)


async def build(options: BuildOptions, listener: Listener) -> BuildResult:
    """Check the source, pack it, and return the artifact's place.

    Raises:
        UsageError: A version, an environment, a folder or the values are wrong.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    run = _Run(options, await source())
    version_folder = run.target.parent
    with pack.workspace(version_folder) as folder:
        run.staging = folder / "artifact"
        ended = await run_steps(run.steps(), listener)
    steps = tuple(StepResult.of(step) for step in ended)
    return BuildResult(
        changed=any(step.outcome is Outcome.CHANGED for step in steps),
        elapsed_s=round(time.monotonic() - began, 3),
        steps=steps,
        version=run.artifact.version,
        path=str(run.target),
        package=str(run.target / run.artifact.chart.package),
        environments=tuple(run.artifact.environments),
        commit=run.artifact.source.revision,
        modified=run.artifact.source.modified,
        pushed=run.pushed,
        pushed_images=run.pushed_images,
    )


class _Run:
    """The steps of one build and the data that they share."""

    staging: Path
    artifact: Artifact

    def __init__(self, options: BuildOptions, source: ArtifactSource) -> None:
        self.options = options
        self.source = source
        self.version = options.version or project.version()
        out = (options.out or project.artifacts_dir()).absolute()
        self.target = model.folder_of(out / self.version)
        self.texts: dict[str, bytes] = {}
        self.additional: tuple[Path, ...] = ()
        self.others: set[str] = set()
        self.references: dict[str, set[str]] = {service: set() for service in tags.SERVICES}
        self.built: dict[str, BuiltImage] = {}
        self.digests: dict[str, str] = {}
        self.packages: dict[str, tuple[images.Package, ...]] = {}
        self.pushed_images: dict[str, str] = {}
        self.pushed: str | None = None

    def steps(self) -> list[Step]:
        """The steps of these options."""
        options = self.options
        steps = [Step("chart", "Chart and values", self.check)]
        if self.options.builds_images:
            steps.append(Step("images", "Images", self.build_images, ("chart",)))
        if options.push_images:
            steps.append(
                Step("push-images", "Images to the registry", self.push_images, ("images",))
            )
        steps.append(Step("artifact", "Artifact", self.pack, (steps[-1].name,)))
        if options.builds_images:
            steps.append(Step("platform", "Other images", self.list_platform, ("artifact",)))
        if options.write_source:
            steps.append(Step("source", "Tags in the source", self.write, ("artifact",)))
        if options.push:
            steps.append(Step("push", "Chart to the registry", self.push, ("artifact",)))
        return steps

    async def check(self, progress: Progress) -> Done:
        """Lint and render the chart with each environment's final values."""
        folder = self.staging / model.VALUES
        folder.mkdir(parents=True)
        self.additional = await asyncio.to_thread(build_values.pack, self.options.values, folder)
        self.others = build_values.with_own_image(values.read_all(self.additional))
        for environment in self.options.environments:
            progress.report(f"values-{environment.name}.yaml")
            await asyncio.to_thread(self._check_one, environment)
        if self.options.push_images:
            images.require_registries(self._to_push())
        names = ", ".join(environment.name for environment in self.options.environments)
        return Done(changed=False, detail=f"in order for {names}")

    def _check_one(self, environment: Environment) -> None:
        text = build_values.environment_text(environment)
        if self.options.version is not None:
            name = environment.values_file.name
            text = tags.set_tags(text.decode(), self.version, name).encode()
        copy = self.staging / model.VALUES / environment.values_file.name
        copy.write_bytes(text)
        self.texts[environment.name] = text
        chosen = values.read_all((copy, *self.additional))
        # Rendering names a wrong value, so it comes before lint.
        rendered = engine.render(
            chosen, release=environment.release, namespace=environment.namespace
        )
        _demand_clean(engine.lint(chosen), environment)
        for service, names in service_images.references(rendered).items():
            self.references[service] |= names

    async def build_images(self, progress: Progress) -> Done:
        """Build the services' images, and pack them under the names that the values give."""
        requested = {name: sorted(items) for name, items in self._built_here().items() if items}
        if not requested:
            raise UsageError(
                "These values run none of ui, server, jobs and rotator with an image that is built "
                "here: there are no images."
            )
        await ensure_builder(progress)
        self.built = await images.ensure(requested, {}, progress)
        self.digests = await images.bundle(self.built, requested, self.staging / ARCHIVE, progress)
        services = {name: self.built[name] for name in requested}
        self.packages = await images.read_packages(services, progress)
        rebuilt = [name for name, image in self.built.items() if image.built]
        detail = f"built {', '.join(rebuilt)}" if rebuilt else "up to date"
        if others := [name for name in self.references if name in self.others]:
            detail += f"; --values names the images of {', '.join(others)}"
        return Done(bool(rebuilt), detail)

    async def push_images(self, progress: Progress) -> Done:
        """Push the images to where the pods of these values get them."""
        self.pushed_images = await images.push(self.built, self._to_push(), progress)
        return Done(changed=True, detail=", ".join(self.pushed_images))

    def _built_here(self) -> dict[str, set[str]]:
        """The image names of the services whose images the added files do not name."""
        return {name: items for name, items in self.references.items() if name not in self.others}

    def _to_push(self) -> dict[str, list[str]]:
        """The image names that belong to a registry, without local ones."""
        return {
            service: sorted(filter(images.is_pushable, references))
            for service, references in self._built_here().items()
        }

    async def pack(self, progress: Progress) -> Done:
        """Package the chart, write the record, and put all of it in place."""
        progress.report("packaging the chart")
        chart = await asyncio.to_thread(self._package)
        if self.packages:
            text = sboms.of_services(self.version, self.source.time, self.packages, self.digests)
            (self.staging / sbom.FILE).write_text(text)
        files = await asyncio.to_thread(pack.measure_folder, self.staging)
        self.artifact = Artifact(
            version=self.version,
            tagged=self.options.version is not None,
            chart=chart,
            source=self.source,
            environments={
                environment.name: f"{model.VALUES}/{environment.values_file.name}"
                for environment in self.options.environments
            },
            additional_values=tuple(f"{model.VALUES}/{file.name}" for file in self.additional),
            images=tuple(map(self._image, tags.SERVICES)),
            files=files,
        ).sealed()
        waiting = "waiting for another run that puts an artifact there"
        async with locked(self.target.with_name(".lock"), lambda: progress.report(waiting)):
            changed = await asyncio.to_thread(
                pack.install, self.staging, self.artifact, self.target
            )
        return Done(changed, str(self.target))

    async def list_platform(self, progress: Progress) -> Done:
        """List the content of the other images on this machine, beside the artifact."""
        path, time = self.target.with_name(sbom.PLATFORM_FILE), self.source.time
        return await sboms.write_platform(path, self.version, time, self.packages, progress)

    def _package(self) -> ArtifactChart:
        """Package a copy of the chart with the source's file times, not this checkout's."""
        staged = self.staging.with_name("chart")
        shutil.copytree(project.chart_dir(), staged)
        stamp = self.source.time.timestamp()
        for path in staged.rglob("*"):
            os.utime(path, (stamp, stamp))
        package = engine.package(self.staging / model.CHARTS, chart=staged)
        os.utime(package, (stamp, stamp))
        name, version = engine.package_identity(package)
        return ArtifactChart(name=name, version=version, package=f"{model.CHARTS}/{package.name}")

    def _image(self, service: str) -> ArtifactImage:
        digest = self.digests.get(service)
        return ArtifactImage(
            service=service,
            references=tuple(sorted(self.references[service])),
            digest=digest,
            archive=ARCHIVE if digest else None,
            pushed={
                reference: self.pushed_images[reference]
                for reference in sorted(self.references[service] & self.pushed_images.keys())
            },
        )

    async def write(self, progress: Progress) -> Done:
        """Write the tags into the repository's own values files."""
        return await asyncio.to_thread(_write_source, self.options.environments, self.texts)

    async def push(self, progress: Progress) -> Done:
        """Compare the chart's package with its record again, and push it."""
        artifact = await asyncio.to_thread(verify.require_intact, self.target)
        package = self.target / artifact.chart.package
        self.pushed = await asyncio.to_thread(registry.push, package, str(self.options.push))
        return Done(changed=True, detail=self.pushed)


def _demand_clean(messages: tuple[engine.LintMessage, ...], environment: Environment) -> None:
    bad = [message for message in messages if message.severity >= Severity.WARNING]
    if bad:
        text = "; ".join(f"{message.path}: {message.text}" for message in bad)
        raise VrooliError(f"The chart's lint with {environment.values_file.name} finds: {text}")


def _write_source(environments: tuple[Environment, ...], texts: Mapping[str, bytes]) -> Done:
    changed = []
    for environment in environments:
        path, text = environment.values_file, texts[environment.name]
        if path.read_bytes() != text:
            partial = path.with_name(f".{path.name}.{os.getpid()}")
            partial.write_bytes(text)
            shutil.copymode(path, partial)
            partial.replace(path)
            changed.append(path.name)
    return Done(bool(changed), ", ".join(changed) or "has them already")
