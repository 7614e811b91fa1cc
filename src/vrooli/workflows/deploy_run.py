"""The steps of a deploy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from vrooli.artifact.model import Artifact
from vrooli.chart import engine, values
from vrooli.chart.manifest import Manifest
from vrooli.cluster import image_archive
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release import (
    apply,
    failure_handling,
    lease,
    overrides,
    secret_redaction,
    uninstall,
)
from vrooli.release.apply import Applied, ApplyOptions
from vrooli.release.drift import comparison, live_objects
from vrooli.release.drift.diff import ObjectChange
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import DEPLOYED, Release, Revision
from vrooli.release.overrides import Overrides
from vrooli.release.records import bookkeeping, size, storage
from vrooli.release.records.metadata import Kind, Origin
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import context, wait
from vrooli.steps import Done, Step, run_steps
from vrooli.vault import tls
from vrooli.workflows import service_images
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.safeguards import deployable, interruption
from vrooli.workflows.safeguards.consent import Consent, objects


class DeployRun:
    """The steps of one deploy and the data that they share."""

    reached: Access
    overrides: Overrides = overrides.NONE

    def __init__(self, options: DeployOptions, artifact: Artifact) -> None:
        self.options, self.artifact = options, artifact
        self.package = options.folder / artifact.chart.package
        self.values = values.read(options.folder / artifact.environments[options.environment.name])
        self.rendering = self._render()
        self.digests: dict[str, str] = {}
        self.changes: tuple[ObjectChange, ...] = ()
        self.began = context.EPOCH
        self.confirmed = False
        self.record: ReleaseRecord | None = None
        self.live: Bodies | None = None
        self.applied = Applied(changed=False)
        self.fit = asyncio.Event()

    def _render(self) -> engine.Rendering:
        environment = self.options.environment
        return engine.render_texts(
            self.values,
            release=environment.release,
            namespace=environment.namespace,
            chart=self.package,
        )

    async def read_overrides(self) -> None:
        """Merge the overrides of the release into the values, unless they are discarded.

        Raises:
            UsageError: The chart rejects them.
        """
        if self.options.discard_overrides:
            return
        self.overrides = await overrides.fetch(self.kube, self.release)
        await asyncio.to_thread(self.merge_overrides)

    def merge_overrides(self) -> None:
        """Render with the overrides that were read."""
        if not self.overrides:
            return
        self.values = self.overrides.merge_into(self.values)
        try:
            self.rendering = self._render()
        except UsageError as error:
            entries = "; ".join(item.format() for item in self.overrides.entries)
            raise UsageError(
                f"The chart of the artifact rejects the overrides of {self.release}: "
                f"{error.message} Overrides: {entries}.",
                "To deploy without them, use --discard-overrides.",
            ) from error

    def pin_images(self, kind: str) -> None:
        """Name the images by the digests that a kind of cluster gets them with, if recorded."""
        recorded = service_images.digests(self.artifact, kind)
        self.values, self.digests = service_images.pin(self.values, self.manifests, recorded)
        if self.digests:
            self.rendering = self._render()

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects of the artifact's release."""
        return self.rendering.manifests

    @property
    def kube(self) -> Kube:
        """The cluster's client."""
        return self.reached.kube

    @property
    def release(self) -> Release:
        """The release."""
        return Release.of(self.options.environment, self.reached.cluster.kubeconfig)

    @property
    def change(self) -> str:
        """The change to confirm, in words; empty if Helm has nothing to do."""
        if self.changes:
            return f"change {objects([change.key for change in self.changes])} of {self.release}"
        if self.record is None or self.record.revision.status == DEPLOYED:
            return ""
        newest = self.record.revision
        return f"deploy {self.release} once more, whose revision {newest.number} is {newest.status}"

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
        for archive in archives:
            archived = await asyncio.to_thread(image_archive.digests, self.options.folder / archive)
            service_images.demand_recorded(self.artifact, archive, archived)
        changed = False
        for archive in archives:
            path = self.options.folder / archive
            changed |= (await cluster.load_images(path, progress)).changed
            if isinstance(cluster, StoredCluster):
                await cluster.name_images_by_digest(path)
        return Done(changed, f"{', '.join(archives)}, by {by}")

    def brought(self) -> set[str]:
        """The images of the artifact, which are loaded at the same time."""
        if self.reached.cluster.kind == service_images.PULLS:
            return set()
        packed = [image for image in self.artifact.images if image.archive]
        names = {reference for image in packed for reference in image.references}
        return names | {f"{name}@{digest}" for name, digest in self.digests.items()}

    async def check(self, progress: Progress) -> Done:
        """Run the preflight checks."""
        available = self.brought() | await self.reached.cluster.images()
        detail = await deployable.demand(
            self.kube, self.release, self.manifests, available, self.reached.cluster.kind
        )
        self.fit.set()
        return Done(changed=False, detail=detail)

    async def compare(self, progress: Progress) -> Done:
        """Compare with Helm's newest record and with manual changes since."""
        try:
            self.record = record = await storage.fetch_record(self.kube, self.release)
            redactor = await secret_redaction.redactor(self.kube, self.release.namespace)
            preserve_added = self.options.preserve_added
            self.changes, self.live = await comparison.preview(
                self.kube,
                self.manifests,
                record,
                redactor,
                preserve_added=preserve_added,
                deployed=await storage.fetch_deployed_manifests(self.kube, self.release, record),
            )
            leftovers = (
                await uninstall.find_leftovers(self.kube, self.release, self.manifests)
                if record is None
                else []
            )
        except VrooliError:
            await self.fit.wait()  # a failed check ends this with a better message
            raise
        if record is None:
            detail = f"a new release of {counted(len(self.manifests), 'object')}"
            return Done(changed=False, detail=detail + uninstall.format_leftovers(leftovers))
        return Done(changed=False, detail=f"{counted(len(self.changes), 'changed object')}")

    async def act(self, listener: Listener, consent: Consent) -> list[StepEnded]:
        """Apply and follow under the lock; on failure save a report and roll back."""
        steps = [
            Step("release", "Helm release", self.apply),
            Step("healthy", "Healthy release", self.follow, ("release",)),
        ]
        progress = Progress("release", listener)
        async with lease.hold(self.kube, self.release, progress):
            await self.check_again()
            if self.confirmed or not self.live:  # the user may have taken long to confirm
                self.live = await live_objects.bodies(self.kube, self.manifests)
            before = await self.before()
            try:
                return await run_steps(steps, listener)
            except asyncio.CancelledError as cancelled:
                raise await self._interruption(before).end(
                    cancelled, listener, consent
                ) from cancelled
            except Exception as raised:
                error = failure_handling.as_error(raised)
                if isinstance(error, UsageError):
                    raise
                if await failure_handling.is_api_down(self.kube, error):
                    raise failure_handling.outage_error(self.release, error, "deploy") from raised
                failed = self._failed(before, error)
                return await failed.end(listener, rollback=self.options.rollback)

    def _failed(self, before: Revision | None, error: VrooliError) -> failure_handling.Failed:
        # The diagnosis is imported only on failure.
        from vrooli.diagnosis.failure_report import save  # noqa: PLC0415

        keeping = partial(save, self.kube, self.release, self.manifests)
        return failure_handling.Failed(
            self.kube, self.release, self.manifests, before, error, keeping, self.unfinished
        )

    def _interruption(self, before: Revision | None) -> interruption.InterruptedChange:
        go_back = self._failed(before, InterruptError("It was interrupted.")).roll_back
        command = "rollback" if before else "uninstall"
        where = f"-e {self.options.environment.name} --cluster {self.reached.choice}"
        return interruption.InterruptedChange(
            self.kube,
            self.release,
            self.manifests,
            self.live or {},
            before,
            go_back,
            f"vrooli {command} {where}",
        )

    async def check_again(self) -> None:
        """Check again under the lock: another deploy may have ended since.

        Raises:
            PrerequisiteError: It has, and the confirmed changes are outdated; or the overrides have
                changed.
        """
        if not self.options.discard_overrides:
            await self._demand_same_overrides()
        if self.record and await storage.is_newest(self.kube, self.release, self.record):
            return
        record = await storage.fetch_record(self.kube, self.release)
        if record is None and self.record is None:
            return
        if self.confirmed:
            raise PrerequisiteError(
                f"Another deploy of {self.release.name} finished in the meantime; "
                "this one changed nothing.",
                "Run the same command again: it shows what it would change now.",
            )
        self.record, self.live = record, None

    async def _demand_same_overrides(self) -> None:
        if await overrides.fetch(self.kube, self.release) != self.overrides:
            raise PrerequisiteError(
                f"The overrides of {self.release.name} were changed in the meantime; "
                "this deploy changed nothing.",
                "Run the same command again: it shows what it would change now.",
            )

    async def before(self) -> Revision | None:
        """The newest revision that is not pending."""
        if self.record is None:
            return None
        if not self.record.revision.is_pending:
            return self.record.revision
        ended = [
            item
            for item in await storage.fetch_revisions(self.kube, self.release)
            if not item.is_pending
        ]
        return ended[-1] if ended else None

    @property
    def unfinished(self) -> tuple[Manifest, ...]:
        """The objects of the previous deploy, if it was killed."""
        if self.record is None or not self.record.revision.is_pending:
            return ()
        return self.record.manifests

    async def apply(self, progress: Progress) -> Done:
        """Run Helm, and stop as soon as one of its hooks can't succeed."""
        self.began = datetime.now(UTC)
        bodies = [item.body for item in self.manifests]
        trusts = await tls.ensure_trust(self.kube, self.release.namespace, bodies)
        source = self.artifact.source
        options = ApplyOptions(
            chart=self.package,
            desired=self.manifests,
            record=self.record,
            live=self.live,
            limit_s=self.options.timeout_s,
            origin=Origin.of(
                Kind.ARTIFACT, self.artifact.version, source.revision, modified=source.modified
            ),
            preserve_added=self.options.preserve_added,
        )
        doing = apply.ensure(self.kube, self.release, self.values, progress, options)
        self.applied = await wait.run_unless_hooks_fail(self.kube, self.manifests, progress, doing)
        return replace(self.applied, changed=self.applied.changed or trusts)

    async def follow(self, progress: Progress) -> Done:
        """Follow the release until every object of it is ready."""
        done = await wait.until_ready(
            self.kube,
            self.manifests,
            progress,
            self.options.timeout_s,
            since=self.began,
            rests=not self.applied.changed,
        )
        if self.options.discard_overrides:  # not before it is ready: a rollback needs them
            await overrides.remove(self.kube, self.release)
        return await bookkeeping.record_healthy(
            self.kube, self.release, done, self.applied.revision
        )
