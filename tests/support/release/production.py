"""Staging and production as they are, small enough for the tests' cluster."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from support.cluster import clusters
from support.cluster.live import Live
from support.programs.certificates import self_signed
from support.release.artifacts import Source
from vrooli import images
from vrooli.chart import values
from vrooli.drills.http_load import Target
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release import uninstall as release_uninstall
from vrooli.rotation.model import Rotated
from vrooli.workflows.clusters import access
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.deploys.rollback import RollbackOptions, rollback
from vrooli.workflows.deploys.uninstall import uninstall
from vrooli.workflows.drills.drill import DrillOptions, drill
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.results.drills import DrillResult
from vrooli.workflows.rotate import RotateOptions, rotate
from vrooli.workflows.switchover import Database, SwitchoverOptions, switchover

log = logging.getLogger(__name__)

SUPPORT = Path(__file__).parent
OVERLAYS = (SUPPORT / "production-site.yaml", SUPPORT / "production-size.yaml")
FIRST, SECOND = "4.0.0", "4.0.1"
# The release and the namespace of the stand-ins for Vrooli's programs.
STAND_INS = "stand-ins"
HOSTS = {"staging": "staging.vrooli.com", "prod": "vrooli.com"}


def build(source: Source, out: Path) -> Path:
    """Two versions of an artifact of both environments, with images; gives the folder of both."""
    chosen = {ENVIRONMENTS[name]: values.load(ENVIRONMENTS[name], OVERLAYS) for name in HOSTS}
    for version in (FIRST, SECOND):
        source.build_for(chosen, out, version, images=True)
    return out


@dataclass(frozen=True)
class Site:
    """An environment on the tests' cluster.

    Attributes:
        environment: Which.
        cluster: The cluster as ``--cluster`` takes it.
        release: Its release.
        artifacts: The folder of both versions.
        target: Its Ingress.
    """

    environment: Environment
    cluster: str
    release: Release
    artifacts: Path
    target: Target

    async def deploy(self, version: str) -> None:
        """Deploy a version, until all of it is healthy."""
        folder = self.artifacts / version
        await deploy(DeployOptions(self.environment, version, folder, self.cluster), silent)

    async def switch_over(self, database: Database) -> None:
        """Make a replica of a database accept the writes."""
        result = await switchover(
            SwitchoverOptions(self.environment, database, "", self.cluster), silent
        )
        assert result.changed
        assert result.current != result.previous

    async def rotate(self, secret: Rotated) -> None:
        """Replace a password; the command proves that the previous one is refused."""
        result = await rotate(RotateOptions(self.environment, (secret,), self.cluster), silent)
        (view,) = result.secrets
        assert not view.continued
        assert "refuse" in view.proof
        log.info("%s: all pods after %.1f s", secret, view.pods_s)

    async def drill(self, page: Path) -> DrillResult:
        """Inject all faults one after the other, under load; they are written as a page."""
        return await drill(
            DrillOptions(
                self.environment,
                cluster=self.cluster,
                is_loaded=True,
                in_production=True,
                page=page,
            ),
            silent,
        )

    async def roll_back(self) -> None:
        """Go back to the version before, until all of it is healthy."""
        await rollback(RollbackOptions(self.environment, None, self.cluster), silent)


@asynccontextmanager
async def site(
    name: str, live: Live, kube: Kube, artifacts: Path, folder: Path
) -> AsyncIterator[Site]:
    """The environment with the first version deployed, in the place of all other releases.

    It stays until another one takes its place, or the cluster is deleted.
    """
    await _free_capacity(live, kube)
    environment, host = ENVIRONMENTS[name], HOSTS[name]
    authority = await _certify(kube, environment, host, folder)
    async with access.connect(live.cluster) as reached:
        url = reached.cluster.urls()["https"]
        built = await images.ensure(images.MONITORING, {}, Progress())
        archive = await images.archive([built[name] for name in images.MONITORING], Progress())
        await reached.cluster.load_images(archive, Progress())
    release = Release.of(environment, live.kubeconfig)
    created = Site(environment, live.cluster, release, artifacts, Target(url, host, authority))
    try:
        await created.deploy(FIRST)
        yield created
    finally:
        if clusters.is_live_kept():
            await _free_capacity(live, kube)


async def _free_capacity(live: Live, kube: Kube) -> None:
    """Take all other releases away: one node has no room for two."""
    async with asyncio.TaskGroup() as group:
        for environment in ENVIRONMENTS.values():
            group.create_task(uninstall(environment, live.cluster, silent, data=True))
        # Its own test only starts its deletion.
        stand_ins = Release(STAND_INS, STAND_INS, live.kubeconfig)
        group.create_task(release_uninstall.remove_data(kube, stand_ins, Progress()))


async def _certify(kube: Kube, environment: Environment, host: str, folder: Path) -> Path:
    """Put a certificate where the Ingress looks for it; gives what clients trust."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    self_signed(certificate, key, timedelta(days=90), host)
    data = {file.name: base64.b64encode(file.read_bytes()).decode() for file in (certificate, key)}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace}}
    await kube.apply(space)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"vrooli-{environment.name}-tls"},
        "type": "kubernetes.io/tls",
        "data": data,
    }
    await kube.apply(secret, namespace=environment.namespace)
    return certificate
