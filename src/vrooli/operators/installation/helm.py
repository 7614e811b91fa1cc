"""Operators from Helm charts, by Helm's own engine in this process."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helm_python import Chart, Config, HelmContext, HelmError, HelmNotFoundError, pull

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.kube.objects import labels
from vrooli.operators.installation import chart_sums, crds, sources
from vrooli.operators.model import Operator, Site, VendorChart

# Helm's timeout, seconds: for its hooks, since it does not wait for pods.
INSTALL_S = 120
# Helm's status of the current revision.
DEPLOYED = "deployed"


@dataclass(frozen=True)
class ChartRelease:
    """A release of a vendor's chart.

    Attributes:
        name: The release's name.
        namespace: Its namespace, which exists.
        chart: A local folder or archive.
        values: Overrides of the chart's values; no secrets.
    """

    name: str
    namespace: str
    chart: str
    values: Mapping[str, Any] = field(default_factory=dict)


async def install_vendor(
    operator: Operator, name: str, site: Site, values: Mapping[str, Any], progress: Progress
) -> None:
    """Install a vendor's chart, or upgrade it together with its definitions.

    Args:
        operator: The operator.
        name: The name of the release.
        site: The cluster.
        values: Overrides of the chart's values.
        progress: Receives the progress.

    Raises:
        PrerequisiteError: No repository is reachable.
        VrooliError: The chart cannot be fetched, is not the one of before, or Helm failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = await _fetch(operator.vendor, Path(folder))
        await chart_sums.demand(site.kube, operator.namespace, operator.vendor, archive)
        release = ChartRelease(name, operator.namespace, str(archive), values)
        await install(site, release, progress)


async def install(site: Site, release: ChartRelease, progress: Progress) -> None:
    """Apply a chart's definitions, and install or upgrade its release.

    Helm installs the definitions in a chart's folder `crds` once and never upgrades them.

    Raises:
        VrooliError: Helm failed.
    """
    await crds.apply(site.kube, await asyncio.to_thread(_definitions, release.chart), progress)
    await apply(site.kubeconfig, release)


async def _fetch(chart: VendorChart, folder: Path) -> Path:
    """The archive of a vendor's chart, from the first repository that is reachable."""
    repository = await sources.repository(chart)
    if repository is None:
        raise PrerequisiteError(
            f"No repository of the chart {chart.name} is reachable: "
            f"{', '.join(chart.repositories)}.",
            f"Check the network connection, or set {sources.VARIABLE}=go-module.",
        )
    is_registry = repository.startswith("oci://")
    reference = f"{repository}/{chart.name}" if is_registry else chart.name
    try:
        await asyncio.to_thread(
            pull,
            reference,
            destination=folder,
            version=chart.version,
            repo_url=None if is_registry else repository,
        )
        return next(folder.glob("*.tgz"))
    except (HelmError, StopIteration) as error:
        raise PrerequisiteError(
            f"The chart {chart.name} {chart.version} cannot be fetched from {repository}: "
            f"{getattr(error, 'detail', 'the repository has no archive of it')}",
            f"Check the network connection, or set {sources.VARIABLE}=go-module.",
        ) from error


def _definitions(path: str) -> list[Manifest]:
    with Chart.load(path) as chart:
        return [item for file in chart.crds for item in crds.documents(file["data"])]


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


async def fetch_revision(kube: Kube, namespace: str, name: str) -> int:
    """The number of the deployed revision of a release; 0 if there is none."""
    selector = f"owner=helm,name={name},status={DEPLOYED}"
    records = await kube.list("v1", "Secret", namespace, selector, names_only=True)
    return max((int(labels(body)["version"]) for body in records), default=0)


async def roll_back(kubeconfig: Path, namespace: str, name: str, revision: int) -> None:
    """Roll a release back to a revision; it does not wait for its pods.

    Raises:
        VrooliError: Helm failed.
    """

    def run() -> None:
        with Config(kubeconfig_path=kubeconfig, namespace=namespace) as helm:
            helm.rollback(name, version=revision, timeout=INSTALL_S)

    try:
        await asyncio.to_thread(run)
    except HelmError as error:
        raise VrooliError(
            f"Helm could not roll {name} in namespace {namespace} back to revision {revision}: "
            f"{error.detail}"
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
