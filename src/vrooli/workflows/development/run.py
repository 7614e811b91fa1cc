"""The steps of develop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from vrooli import images, operators, project, vault
from vrooli.chart import engine as chart_engine
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.checks import preflight
from vrooli.cluster.interface import Cluster
from vrooli.environments import Environment, SecretsSource
from vrooli.errors import CommandError, VrooliError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.kube import Kube
from vrooli.operators import VSO, Operator, Site, Source
from vrooli.operators.installation.install import find_namespace, install
from vrooli.operators.vso.names import STATIC_SECRET
from vrooli.operators.vso.templates import keys_by_path
from vrooli.release import apply, failure_handling, overrides
from vrooli.release.apply import Applied, ApplyOptions
from vrooli.release.model import Release
from vrooli.release.overrides import Overrides
from vrooli.release.records import bookkeeping, size, storage
from vrooli.release.records.metadata import Kind, Origin
from vrooli.release.rollout import wait
from vrooli.secrets import env_file
from vrooli.secrets import kubernetes as kubernetes_secrets
from vrooli.secrets.names import Names
from vrooli.steps import Done, Step, run_steps
from vrooli.vault import tls
from vrooli.workflows.artifacts.git_metadata import source
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import local_images, postgres_version
from vrooli.workflows.host.setup import FIRST, Machine
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.safeguards import secrets_source

# The values' name of each service, by the image that a local build makes for it.
SERVICES = {
    "ui": "ui",
    "server": "server",
    "jobs": "jobs",
    "nsfw-detector": "nsfwDetector",
    "adminer": "adminer",
}

# How long noting an interrupted revision may take, seconds: whoever ends a process waits little.
MARK_S = 10.0


def secrets_file(options: DevelopOptions) -> Path:
    """The local file with the secrets."""
    return options.secrets_file or env_file.default_path(options.environment)


def _read_keys(
    environment: Environment, values: chart_values.Values
) -> dict[tuple[str, str], frozenset[str]]:
    """The keys that the templates of the values read, by mount and path in Vault."""
    manifests = chart_engine.render(
        values, release=environment.release, namespace=environment.namespace
    )
    return keys_by_path(item.body for item in manifests if item.kind == STATIC_SECRET)


class DevelopRun:
    """The steps of one develop run and the data that they share."""

    cluster: Cluster
    kube: Kube
    overrides: Overrides = overrides.NONE
    base: chart_values.Values

    def __init__(
        self, options: DevelopOptions, choice: Choice, exits: contextlib.AsyncExitStack
    ) -> None:
        self.options = options
        self.began = datetime.now(UTC)
        self.choice = choice
        self._exits = exits
        self.machine = Machine(runs_clusters=choice.embedded)
        self.sources: dict[str, Source] = {}
        self.applied = Applied(changed=False)
        # The images of the user, which are deployed as they are, by component.
        self.other_images: dict[str, str] = {}
        self.manifests: tuple[Manifest, ...] = ()
        # Whether files had uncommitted changes at a release of this run.
        self.is_modified = False

    def steps(self) -> list[Step]:
        """All steps; each names those that it stands on."""
        installs = [self._install(operator) for operator in operators.OPERATORS]
        installs_done = tuple(step.name for step in installs)
        return [
            *self.machine.steps(),
            Step("cluster", "Kubernetes", self.ensure_cluster, ("program-images",)),
            Step(
                "load", "Images into the cluster", self.load_images, ("cluster", "service-images")
            ),
            *installs,
            Step("secrets", "Secrets", self.ensure_secrets, ("cluster",)),
            Step(
                "release",
                "Helm release",
                self.ensure_release,
                ("load", "secrets", *installs_done),
            ),
            Step("operators", "Operators' pods", self.await_operators, installs_done),
            Step("healthy", "Healthy release", self.follow_release, ("release", "operators")),
        ]

    async def hold(self, steps: Sequence[Step], listener: Listener) -> list[StepEnded]:
        """Run the steps under the Lease; a revision that they made and left unready is noted so."""
        before = await storage.fetch_revision(self.kube, self.release)
        try:
            return await run_steps(steps, listener)
        except VrooliError as error:
            await failure_handling.mark_failed(self.kube, self.release, before, error.message)
            raise
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MARK_S):
                    await failure_handling.mark_failed(
                        self.kube, self.release, before, "it was interrupted"
                    )
            raise

    async def ensure_cluster(self, progress: Progress) -> Done:
        """Have the cluster run, with what its add-ons and the operators need in it."""
        if self.choice.embedded:
            name, ports = self.choice.name, self.options.ports
            preloaded = self.machine.preloaded()
            self.cluster = await self.machine.cluster(name, ports, progress, preloaded)
        else:
            self.cluster = self.choice.external()
        done = await self.cluster.ensure_running(progress)
        self.kube = await self._exits.enter_async_context(
            await Kube.connect(self.cluster.kubeconfig)
        )
        # The pods and containerd of an embedded cluster reach no network outside.
        self.sources = await operators.choose(
            operators.OPERATORS, self.kube, pulls=not self.choice.embedded
        )
        return done

    async def load_images(self, progress: Progress) -> Done:
        """Load the images of the data, the services and, if the values name it, of monitoring."""
        every = [*images.DATA, *images.SERVICES]
        values = self.file_values()
        every += await asyncio.to_thread(
            local_images.find_monitoring, self.options.environment, values
        )
        every += [name for name in images.DEVELOPMENT if name in self.machine.images]
        requested = every if self.choice.embedded else [*FIRST, *every]
        built = [self.machine.images[name] for name in requested]
        references = [name for image in (*built, *self.machine.preloaded()) for name in image.names]
        present = await self.cluster.image_digests(references)
        try:
            archive = await self.machine.archive(requested, progress, present)
            return await self.cluster.load_images(archive, progress)
        except CommandError:
            if not present:
                raise
        # The cluster lacks layers of an image that it lists: load all of them.
        archive = await self.machine.archive(requested, progress)
        return await self.cluster.load_images(archive, progress)

    def _install(self, operator: Operator) -> Step:
        async def ensure(progress: Progress) -> Done:
            site = Site(self.kube, self.cluster.kubeconfig, self.machine.hashes())
            return await install(operator, self.sources[operator.name], site, progress)

        return Step(operator.name, operator.title, ensure, ("cluster",))

    async def await_operators(self, progress: Progress) -> Done:
        """Wait for the operators' pods; the release only needs the kinds that they serve."""
        async with asyncio.TaskGroup() as group:
            for operator in operators.OPERATORS:
                group.create_task(wait.until_operator_ready(operator, self.kube, progress))
        return Done(changed=False, detail=f"all {len(operators.OPERATORS)} are ready")

    async def ensure_secrets(self, progress: Progress) -> Done:
        """Have the five secrets: in Vault, or in Kubernetes from a local file."""
        options = self.options
        await secrets_source.refuse_change(self.kube, options.environment, options.secrets_source)
        values = self.file_values()
        read = await asyncio.to_thread(_read_keys, options.environment, values)
        if options.secrets_source is SecretsSource.VAULT:
            return await vault.ensure(
                self.kube,
                project.policies_dir(),
                progress,
                image_hash=self.machine.hashes()[vault.IMAGE],
                client_namespace=await find_namespace(VSO, self.kube),
                read=read,
            )
        path = secrets_file(options)
        created = env_file.write_first(path)
        generated = env_file.add_key_pairs(path, frozenset().union(*read.values()))
        namespace = options.environment.namespace
        names = Names.of(values)
        done = await kubernetes_secrets.ensure(self.kube, namespace, path, names, progress)
        details = [done.detail, *([f"generated {', '.join(generated)}"] if generated else [])]
        return Done(done.changed or created or bool(generated), ", ".join(details))

    async def ensure_release(self, progress: Progress) -> Done:
        """Have the chart installed with the environment's values and the local images."""
        values, release = await self._release_values(progress), self.release
        rendering = await asyncio.to_thread(
            chart_engine.render_texts, values, release=release.name, namespace=release.namespace
        )
        self.manifests = rendering.manifests
        await asyncio.to_thread(
            size.demand_fitting, release.name, project.chart_dir(), values, rendering
        )
        await preflight.demand_data_fit(self.kube, release.namespace, self.manifests)
        bodies = [item.body for item in self.manifests]
        await tls.ensure_trust(self.kube, release.namespace, bodies)
        git_source = await source()
        # Images of an earlier release of this run may have changes that were taken back since.
        self.is_modified |= git_source.modified
        origin = Origin.of(
            Kind.SOURCE, project.version(), git_source.revision, modified=self.is_modified
        )
        options = ApplyOptions(desired=self.manifests, origin=origin)
        self.applied = await apply.ensure(self.kube, release, values, progress, options)
        return self.applied

    async def _release_values(self, progress: Progress) -> chart_values.Values:
        """The values of the files, with the local images and the overrides of the release."""
        values = self.file_values()
        find = local_images.find_others
        self.other_images = await asyncio.to_thread(find, self.options.environment, values)
        if self.other_images:
            await local_images.demand_available(self.cluster, self.other_images)
        values = chart_values.merge(values, self._local_values())
        values = chart_values.merge(values, self.overlay())
        values = chart_values.merge(
            values, await postgres_version.local_values(self.kube, values, self.options.values)
        )
        if not self.options.discard_overrides:
            self.overrides = await overrides.fetch(self.kube, self.release)
            self.base, values = values, self.overrides.merge_into(values)
            for item in self.overrides.entries:
                progress.report(f"override {item.format()}")
        return values

    async def follow_release(self, progress: Progress) -> Done:
        """Follow the release until every object of it is ready."""
        done = await wait.until_ready(self.kube, self.manifests, progress, since=self.began)
        if self.options.discard_overrides:
            await overrides.remove(self.kube, self.release)
        elif self.overrides:
            await overrides.rebase(self.kube, self.release, self.base)
        return await bookkeeping.record_healthy(
            self.kube, self.release, done, self.applied.revision
        )

    def file_values(self) -> chart_values.Values:
        """The values of the environment and of the given files, as they are now."""
        return chart_values.load(self.options.environment, self.options.values)

    def overlay(self) -> chart_values.Values:
        """Values over those of the files and of the images; none."""
        return {}

    @property
    def release(self) -> Release:
        """The release."""
        return Release.of(self.options.environment, self.cluster.kubeconfig)

    def _local_values(self) -> chart_values.Values:
        """What develop says over the values files: the images that were built here."""
        others = self.other_images
        result: chart_values.Values = {
            "services": {
                key: self.local_image(name) for name, key in SERVICES.items() if name not in others
            }
        }
        if "rotator" not in others:
            result["rotation"] = self.local_image("rotator")
        if local_images.REDIS not in others:
            result["spotahomeRedis"] = {"image": self.machine.images["redis"].reference}
        if self.options.secrets_source is SecretsSource.FILE:
            result["vso"] = {"enabled": False}
        return result

    def local_image(self, name: str) -> chart_values.Values:
        """The values of an image that was built here."""
        image = self.machine.images[name]
        # By content: another image rolls the pods, and a rollback brings back its own.
        repository, _, tag = image.pinned.rpartition(":")
        return {"repository": repository, "tag": tag}
