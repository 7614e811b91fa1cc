"""Operators from Helm charts, by Helm's own engine in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helm_python import Config, HelmContext, HelmError, HelmNotFoundError

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import Manifest
from vrooli.operators import crds, sources
from vrooli.operators.interface import VendorChart

# How long Helm may take; it doesn't wait for pods, so this is for its hooks, seconds.
INSTALL_S = 120


@dataclass(frozen=True)
class ChartRelease:
    """A release of somebody's chart.

    Attributes:
        name: The release's name.
        namespace: Its namespace, which exists.
        chart: A local folder or archive, a name in ``repository``, or an oci:// reference.
        values: What overrides the chart's values; no secrets.
        version: The chart's version, where it isn't a local one.
        repository: The URL of its repository, for a name.
    """

    name: str
    namespace: str
    chart: str
    values: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    repository: str | None = None


async def vendor_release(
    chart: VendorChart, name: str, namespace: str, values: Mapping[str, Any]
) -> ChartRelease:
    """The release of a vendor's chart, from the repository that answers.

    Raises:
        PrerequisiteError: None does.
    """
    repository = await sources.repository(chart)
    if repository is None:
        raise PrerequisiteError(
            f"No repository of the chart {chart.name} answers: {', '.join(chart.repositories)}.",
            f"Try again with the network, or set {sources.VARIABLE}=go-module.",
        )
    if repository.startswith("oci://"):
        return ChartRelease(name, namespace, f"{repository}/{chart.name}", values, chart.version)
    return ChartRelease(name, namespace, chart.name, values, chart.version, repository)


async def chart_crds(chart: Path) -> list[Manifest]:
    """The definitions that a local chart brings in its crds folder."""
    return await crds.read(sorted((chart / "crds").glob("*.yaml")))


async def apply(kubeconfig: Path, release: ChartRelease) -> None:
    """Install the release, or upgrade it; doesn't wait for its pods.

    Raises:
        VrooliError: Helm refused.
    """
    cancel = HelmContext()
    work = asyncio.create_task(asyncio.to_thread(_apply, kubeconfig, release, cancel))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        # Helm notes a cancelled release as failed; wait for that, so nothing is half-written.
        cancel.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise
    except HelmError as error:
        raise VrooliError(
            f"Helm could not install {release.name} in namespace {release.namespace}: "
            f"{error.detail}",
            "Run the same command again; it continues where it stopped.",
        ) from error


def _apply(kubeconfig: Path, release: ChartRelease, cancel: HelmContext) -> None:
    with Config(kubeconfig_path=kubeconfig, namespace=release.namespace) as helm:
        act = helm.upgrade if _is_deployed(helm, release.name) else helm.install
        act(
            release.chart,
            release.name,
            dict(release.values),
            context=cancel,
            namespace=release.namespace,
            timeout=INSTALL_S,
            chart_repo_url=release.repository,
            chart_version=release.version,
        )


def _is_deployed(helm: Config, name: str) -> bool:
    """Whether there is a release to upgrade, after what a run that was cut off has left behind.

    Helm refuses to touch a release that is "pending": nobody works on it any more, so a first
    installation is removed, and an upgrade is taken back.
    """
    try:
        statuses = [revision["status"] for revision in helm.history(name)]
    except HelmNotFoundError:
        return False
    if not {"deployed", "superseded"} & set(statuses):
        helm.uninstall(name, timeout=INSTALL_S, ignore_not_found=True)
        return False
    if statuses[-1].startswith("pending"):
        helm.rollback(name, timeout=INSTALL_S)
    return True
