"""The problems that `status` reports, from what it has read. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vrooli.environments import Environment
from vrooli.release.model import DEPLOYED
from vrooli.release.records import metadata
from vrooli.release.records.metadata import End
from vrooli.workflows import advice
from vrooli.workflows.clusters import embedded
from vrooli.workflows.results.clusters import ClusterView
from vrooli.workflows.results.status import (
    OperatorView,
    ReleaseView,
    VaultView,
    WorkloadView,
)

READY, ABSENT = "ready", "absent"


def find(
    environment: Environment,
    cluster: ClusterView,
    operators: Iterable[OperatorView],
    vault: VaultView | None,
    release: ReleaseView | None,
    workloads: Sequence[WorkloadView],
) -> list[str]:
    """All problems, one line each; what is None could not be read and has none."""
    problems = [
        *of_cluster(cluster),
        *_of_operators(operators),
        *_of_vault(vault, workloads),
        *_of_release(environment, release),
        *(f"{item.kind} {item.name}: {item.detail}" for item in workloads if not item.ready),
    ]
    if problems and cluster.detail:
        # It recovers without help; nothing else needs to be repaired meanwhile.
        problems.insert(0, f"{cluster.detail}: {advice.wait(environment)}")
    return problems


def of_cluster(cluster: ClusterView) -> list[str]:
    """The components of the cluster that do not run."""
    if cluster.state == embedded.RUNNING:
        return []
    problem = f"cluster {cluster.name} is {cluster.state}"
    if cluster.state == embedded.DAMAGED:
        return [f"{problem}: `vrooli cluster delete {cluster.name}` deletes it with its data"]
    return [problem] + [
        f"{item.name} is {item.state}: {item.detail}"
        for item in cluster.components
        if item.state not in (embedded.RUNNING, embedded.OFF)
    ]


def _of_operators(views: Iterable[OperatorView]) -> list[str]:
    return [f"{item.name}: {item.detail}" for item in views if not item.ready]


def _of_vault(view: VaultView | None, workloads: Iterable[WorkloadView]) -> list[str]:
    """Problems of Vault; it may be absent if the release does not use it."""
    needed = uses_vault(workloads)
    if view is None or view.state == READY or (view.state == ABSENT and not needed):
        return []
    if view.state == "foreign":
        return []
    return [f"Vault: {view.detail or view.state}"]


def uses_vault(workloads: Iterable[WorkloadView]) -> bool:
    """Whether the release has secrets from Vault."""
    return any(item.kind == "VaultStaticSecret" for item in workloads)


def _of_release(environment: Environment, view: ReleaseView | None) -> list[str]:
    if view is None:
        return []
    abandoned = _of_edited(environment, view)
    if view.status == DEPLOYED:
        # Hooks and later steps of an unfinished deploy may be missing.
        problem = metadata.format_unready(view.revision, End(view.outcome))
        return [*([f"{problem}: {advice.repeat(environment)}"] if problem else []), *abandoned]
    if view.status == ABSENT:
        return [f"release {view.name} is absent: {advice.install(environment)}"]
    return [f"release {view.name} is {view.status}: {advice.repeat(environment)}"]


def _of_edited(environment: Environment, view: ReleaseView) -> list[str]:
    """Pods that run edited files which nobody updates any more."""
    if view.edited is None or not view.edited.abandoned:
        return []
    state = "pass requests on to a host" if view.edited.on_host else "run edited files"
    return [
        f"{', '.join(view.edited.workloads)} {state}, but {view.edited.watched_by} has "
        f"ended: {advice.repeat(environment)}"
    ]
