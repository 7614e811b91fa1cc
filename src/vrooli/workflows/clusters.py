"""The embedded clusters of this machine: start, stop, look at, delete."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from vrooli import project
from vrooli.cluster.embedded import logs as component_logs
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.settings import AddonImages, Layout
from vrooli.cluster.interface import Cluster, ClusterStatus
from vrooli.errors import UsageError
from vrooli.events import Listener, LogLine, Outcome
from vrooli.steps import Step, run_steps
from vrooli.workflows import kubeconfigs
from vrooli.workflows.results import (
    ClusterListResult,
    ClusterResult,
    ClusterView,
    ComponentView,
    KubeconfigResult,
    Result,
)

ABSENT, RUNNING = "absent", "running"


def embedded(name: str) -> EmbeddedCluster:
    """A cluster to look at, stop or delete; what only a start needs is left out.

    Raises:
        UsageError: The name can't be a cluster's.
    """
    nothing = AddonImages(archive=Path("/nonexistent"))
    return EmbeddedCluster(name, state_dir=project.state_dir(), programs={}, images=nothing)


def known_names() -> list[str]:
    """The names of this user's embedded clusters."""
    folder = project.state_dir() / "clusters"
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def demand_known(name: str) -> None:
    """Check that there is a cluster of that name.

    Raises:
        UsageError: There is none.
    """
    names = known_names()
    if name not in names:
        known = f"There are: {', '.join(names)}." if names else "There is none at all yet."
        raise UsageError(
            f"There is no embedded cluster {name!r}.",
            f"{known} `vrooli cluster start {name}` makes it.",
        )


async def stop(name: str, listener: Listener) -> ClusterResult:
    """End a cluster; its data stay."""
    demand_known(name)
    cluster = embedded(name)
    return await _act(cluster, Step("stop", f"Stop cluster {name}", cluster.stop), listener)


async def delete(name: str, listener: Listener) -> ClusterResult:
    """End a cluster and remove everything it made; changes nothing when there is none."""
    cluster = embedded(name)
    return await _act(cluster, Step("delete", f"Delete cluster {name}", cluster.delete), listener)


async def status(name: str, listener: Listener) -> ClusterResult:
    """How a cluster is."""
    del listener  # looking is quick, there is nothing to tell meanwhile
    demand_known(name)
    seen = await view(embedded(name))
    return ClusterResult(ok=seen.state == RUNNING, changed=False, cluster=seen)


async def list_all(listener: Listener) -> ClusterListResult:
    """Every embedded cluster of this user."""
    del listener
    return ClusterListResult(clusters=tuple([await view(embedded(n)) for n in known_names()]))


async def kubeconfig(name: str, listener: Listener, *, merge: bool) -> KubeconfigResult:
    """Where a cluster's own kubeconfig is; with ``merge`` the user's own gets its context."""
    del listener
    demand_known(name)
    path = embedded(name).kubeconfig
    if not merge:
        return KubeconfigResult(path=str(path))
    context = f"vrooli-{name}"
    into = kubeconfigs.users_file()
    kubeconfigs.merge(path, into, context)
    return KubeconfigResult(path=str(path), merged_into=str(into), context=context)


async def logs(name: str, component: str, listener: Listener, *, tail: int, follow: bool) -> Result:
    """Tell the last lines of a component's log and, with ``follow``, each further one.

    Raises:
        UsageError: There is no such cluster or component.
    """
    demand_known(name)
    layout = Layout.of(project.state_dir(), name)
    log = layout.log(component)
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in layout.logs.glob("*.log")))
        raise UsageError(
            f"Cluster {name} has no component {component!r}.", f"Choose one of: {known}."
        )
    for line in component_logs.tail(log, tail):
        listener(LogLine(component, line))
    if follow:
        async for line in component_logs.follow(log):
            listener(LogLine(component, line))
    return Result()


async def view(cluster: Cluster) -> ClusterView:
    """A cluster as results show it."""
    seen: ClusterStatus = await cluster.status()
    return ClusterView(
        name=seen.name,
        kind=seen.kind,
        state=seen.state,
        version=seen.version,
        components=tuple(ComponentView(**asdict(part)) for part in seen.components),
        urls=cluster.urls() if seen.state != ABSENT else {},
    )


async def _act(cluster: EmbeddedCluster, step: Step, listener: Listener) -> ClusterResult:
    ended = await run_steps([step], listener)
    return ClusterResult(
        changed=any(end.outcome is Outcome.CHANGED for end in ended),
        detail=ended[-1].detail,
        cluster=await view(cluster),
    )
