"""What a release is to become: its chart, its values with the overrides, and its objects."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vrooli.chart import engine
from vrooli.chart.manifest import Manifest
from vrooli.chart.values import Values
from vrooli.errors import UsageError
from vrooli.kube import ApiError, Kube
from vrooli.release import overrides
from vrooli.release.model import Release
from vrooli.release.overrides import Overrides
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.options import ChangeOptions


class DesiredRelease:
    """A release as its values describe it.

    Attributes:
        reached: The cluster.
        package: The chart, a folder or a package.
        overrides: The overrides that are merged into the values.
        values: The values over those of the chart.
        base: The values without the overrides; None if they are not known.
        rendering: What the chart makes of the values.
    """

    reached: Access
    overrides: Overrides = overrides.NONE
    base: Values | None = None

    def __init__(self, options: ChangeOptions, package: Path, values: Values) -> None:
        self.options, self.package, self.values = options, package, values
        self.rendering = self._render()

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
        try:
            self.overrides = await overrides.fetch(self.kube, self.release)
        except ApiError as error:
            # The checks name all permissions that are missing; nothing is changed without this one.
            if not error.is_forbidden:
                raise
        await asyncio.to_thread(self.merge_overrides)

    def merge_overrides(self) -> None:
        """Render with the overrides that were read."""
        if not self.overrides:
            return
        self.base, self.values = self.values, self.overrides.merge_into(self.values)
        try:
            self.rendering = self._render()
        except UsageError as error:
            raise overrides.rejection_error(self.release, self.overrides, error) from error

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects of the release."""
        return self.rendering.manifests

    @property
    def kube(self) -> Kube:
        """The cluster's client."""
        return self.reached.kube

    @property
    def release(self) -> Release:
        """The release."""
        return Release.of(self.options.environment, self.reached.cluster.kubeconfig)
