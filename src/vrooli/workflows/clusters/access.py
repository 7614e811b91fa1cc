"""Connect to an existing cluster, for commands that read or change its release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.cluster.interface import Cluster
from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
from vrooli.workflows.clusters import embedded
from vrooli.workflows.clusters.selection import Choice, choose

# A stored embedded cluster can be read without what a start needs.
AnyCluster = Cluster | StoredCluster


@dataclass(frozen=True)
class Access:
    """A running cluster: how it was chosen, and a client of its API."""

    choice: Choice
    cluster: AnyCluster
    kube: Kube


async def find(text: str | None) -> tuple[Choice, AnyCluster]:
    """Find the cluster that ``--cluster`` names, or the default; it may not run.

    Raises:
        UsageError: The name is wrong.
    """
    choice = await choose(text)
    return choice, embedded.named(choice.name) if choice.embedded else choice.external()


@asynccontextmanager
async def connect(text: str | None) -> AsyncIterator[Access]:
    """Connect to a running cluster; the client is closed at the end.

    Raises:
        UsageError: The name is wrong.
        PrerequisiteError: The cluster doesn't run, or denies access.
    """
    choice = await choose(text)
    cluster: AnyCluster
    if choice.embedded:
        if text:
            embedded.demand_existing(choice.name)
        cluster = embedded.named(choice.name)
        await _demand_running(cluster)
        kube = await Kube.connect(cluster.kubeconfig)
    else:
        cluster = choice.external()
        kube = await cluster.connect()
    async with kube:
        yield Access(choice, cluster, kube)


async def _demand_running(cluster: StoredCluster) -> None:
    status = await cluster.status()
    if status.state == embedded.PAUSED:
        raise PrerequisiteError(
            f"Cluster embedded:{cluster.name} is {status.detail or 'paused'}.",
            f"To resume it: `vrooli resume {cluster.name}`.",
        )
    if status.state in ("absent", "stopped"):
        raise PrerequisiteError(
            f"Cluster embedded:{cluster.name} is {status.state}.",
            "Run `vrooli cluster start` to start it, or `vrooli develop` to set up everything. Use "
            "--cluster to select another cluster.",
        )
