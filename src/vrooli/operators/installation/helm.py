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
from vrooli.operators.installation import crds, sources
from vrooli.operators.model import VendorChart

# Helm's timeout, seconds: for its hooks, since it does not wait for pods.
INSTALL_S = 120


@dataclass(frozen=True)
class ChartRelease:
    """A release of a vendor's chart.

    Attributes:
        name: The release's name.
        namespace: Its namespace, which exists.
        chart: A local folder or archive, a name in `repository`, or an oci:// reference.
        values: Overrides of the chart's values; no secrets.
        version: The chart's version, unless it is a local one.
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
    """The release of a vendor's chart, from the first repository that is reachable.

    Raises:
        PrerequisiteError: No repository is reachable.
    """
    repository = await sources.repository(chart)
    if repository is None:
        raise PrerequisiteError(
            f"No repository of the chart {chart.name} is reachable: "
            f"{', '.join(chart.repositories)}.",
            f"Check the network connection, or set {sources.VARIABLE}=go-module.",
        )
    if repository.startswith("oci://"):
        return ChartRelease(name, namespace, f"{repository}/{chart.name}", values, chart.version)
    return ChartRelease(name, namespace, chart.name, values, chart.version, repository)


async def chart_crds(chart: Path) -> list[Manifest]:
    """The definitions in the crds folder of a local chart."""
    return await crds.read(sorted((chart / "crds").glob("*.yaml")))


async def apply(kubeconfig: Path, release: ChartRelease) -> None:
    """Install the release, or upgrade it; it does not wait for its pods.

    Raises:
        VrooliError: Helm failed.
    """
    cancel = HelmContext()
    task = asyncio.create_task(asyncio.to_thread(_apply, kubeconfig, release, cancel))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        # Helm records a cancelled release as failed; wait for that to avoid a partial record.
        cancel.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    except HelmError as error:
        raise VrooliError(
            f"Helm could not install {release.name} in namespace {release.namespace}: "
            f"{error.detail}",
            "Run the same command again; it continues where it stopped.",
        ) from error


def _apply(kubeconfig: Path, release: ChartRelease, cancel: HelmContext) -> None:
    with Config(kubeconfig_path=kubeconfig, namespace=release.namespace) as helm:
        run = helm.upgrade if _is_deployed(helm, release.name) else helm.install
        run(
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
    """Whether there is a release to upgrade, after cleaning up an interrupted run.

    Helm refuses to change a release that is "pending". Since no other run is active, a first
    installation is removed, and an upgrade is rolled back.
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
