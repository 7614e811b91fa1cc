"""The status of cluster, operators, Vault and release; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from vrooli import operators, vault
from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import VrooliError
from vrooli.events import Listener, Progress
from vrooli.findings import Verdict
from vrooli.kube import Kube, RequestBudget
from vrooli.kube.fetch import Fetcher
from vrooli.operators import OperatorStatus
from vrooli.release import Release, secret_redaction
from vrooli.release.records import metadata, storage
from vrooli.release.records.metadata import End
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import operator_logs, queries, readiness
from vrooli.workflows import advice
from vrooli.workflows.clusters import access, embedded
from vrooli.workflows.develop import release_urls
from vrooli.workflows.results.base import MissingView
from vrooli.workflows.results.clusters import ClusterView
from vrooli.workflows.results.status import (
    OperatorView,
    ReleaseView,
    StatusResult,
    VaultView,
    WorkloadView,
)

T = TypeVar("T")
READY, ABSENT, DEPLOYED = "ready", "absent", "deployed"
VAULT = "Vault"
# The default timeout, seconds; it ends as soon as everything is read.
LIMIT_S = 120.0


async def status(
    environment: Environment,
    cluster: str | None,
    listener: Listener,
    timeout_s: float = LIMIT_S,
) -> StatusResult:
    """Read the state of the cluster, operators, Vault, release and workloads, concurrently.

    What can't be read does not stop the rest, and is reported apart from what is unhealthy.

    Args:
        environment: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        listener: Receives what is waited for.
        timeout_s: The timeout, seconds; it ends as soon as everything is read.

    Raises:
        UsageError: The cluster's name is wrong.
    """
    progress = Progress("status", listener)
    choice, target = await access.find(cluster)
    cluster_view = await embedded.view(target)
    if cluster_view.state in (embedded.ABSENT, embedded.STOPPED):
        hint = advice.start(environment, cluster_view.state)
        problem = f"cluster {choice} is {cluster_view.state}: {hint}"
        return _result(environment, cluster_view, problems=(problem,))
    try:
        kube = await Kube.connect(target.kubeconfig)
    except VrooliError as error:
        what = f"the Kubernetes API of cluster {choice}"
        missing = (MissingView(resource=what, reason=error.message, advice=error.advice),)
        problems = tuple(_cluster_problems(cluster_view))
        return _result(environment, cluster_view, problems=problems, missing=missing)
    async with kube:
        release = Release.of(environment, target.kubeconfig)
        fetcher = _Fetcher(budget=RequestBudget(timeout_s))
        async with fetcher.budget.reporting(progress):
            return await _fetch_all(
                environment, kube, release, cluster_view, release_urls(target), fetcher
            )


def _result(
    environment: Environment,
    cluster: ClusterView,
    *,
    problems: tuple[str, ...],
    missing: tuple[MissingView, ...] = (),
    **parts: Any,
) -> StatusResult:
    verdict = Verdict.of(has_problems=bool(problems), is_missing=bool(missing))
    return StatusResult(
        ok=verdict is Verdict.HEALTHY,
        verdict=verdict,
        missing=missing,
        environment=environment.name,
        cluster=cluster,
        problems=problems,
        **parts,
    )


async def _fetch_all(
    environment: Environment,
    kube: Kube,
    release: Release,
    cluster_view: ClusterView,
    urls: dict[str, str],
    fetcher: _Fetcher,
) -> StatusResult:
    async with asyncio.TaskGroup() as group:
        of_operators = [
            group.create_task(fetcher.at(operator.title, partial(operators.status, operator, kube)))
            for operator in operators.OPERATORS
        ]
        of_vault = group.create_task(fetcher.at(VAULT, partial(vault.status, kube)))
        of_release = group.create_task(_fetch_release(kube, release, fetcher))
        hides = group.create_task(secret_redaction.redactor(kube, release.namespace))
    operator_views = tuple(_operator(item) for task in of_operators if (item := task.result()))
    vault_status = of_vault.result()
    vault_view = VaultView(**vars(vault_status)) if vault_status else None
    redactor = hides.result()
    release_view, read_workloads = of_release.result()
    workloads = tuple(
        item.model_copy(update={"detail": redactor.text(item.detail)})
        for item in read_workloads or ()
    )
    problems = (
        *_cluster_problems(cluster_view),
        *_operator_problems(operator_views),
        *_vault_problems(vault_view, workloads),
        *_release_problems(environment, release_view),
        *(f"{item.kind} {item.name}: {item.detail}" for item in workloads if not item.ready),
    )
    complete_workloads = None if read_workloads is None else workloads
    return _result(
        environment,
        cluster_view,
        problems=tuple(map(redactor.text, problems)),
        missing=tuple(
            MissingView(
                resource=item.resource, reason=redactor.text(item.reason), advice=item.advice
            )
            for item in fetcher.unavailable
            if item.resource != VAULT
            or complete_workloads is None
            or _takes_from_vault(complete_workloads)
        ),
        operators=operator_views,
        vault=vault_view,
        release=release_view,
        workloads=workloads,
        urls=urls if release_view and release_view.revision else {},
    )


@dataclass
class _Fetcher(Fetcher):
    """Reads with retries within the time of the command."""

    budget: RequestBudget = field(kw_only=True)

    async def at(self, what: str, request: Callable[[], Awaitable[T]]) -> T | None:
        run = self.budget.run(what, lambda _: request(), limit_s=self.budget.total_s)
        return await self.fetch(what, run, None, None)


async def _fetch_release(
    kube: Kube, release: Release, fetcher: _Fetcher
) -> tuple[ReleaseView | None, tuple[WorkloadView, ...] | None]:
    """Fetch the release and its workloads by one read of Helm's record; None if unreadable."""
    records: list[ReleaseRecord | None] = []

    async def fetch() -> ReleaseView:
        record = await storage.fetch_record(kube, release)
        records[:] = [record]
        return _release(release, record)

    view = await fetcher.at(f"release {release.name}", fetch)
    if not records:
        return None, None
    workloads = await fetcher.at("the workloads", partial(_workloads, kube, records[0], fetcher))
    return view, workloads


def _release(release: Release, record: ReleaseRecord | None) -> ReleaseView:
    if record is None:
        return ReleaseView(name=release.name, namespace=release.namespace, status=ABSENT)
    return ReleaseView(
        name=release.name,
        namespace=release.namespace,
        status=record.revision.status,
        revision=record.revision.number,
        chart=record.revision.chart,
        outcome=record.metadata.end.value,
    )


async def _workloads(
    kube: Kube, record: ReleaseRecord | None, fetcher: _Fetcher
) -> tuple[WorkloadView, ...]:
    """The release's objects that have a readiness; empty if it does not exist."""
    if record is None:
        return ()
    manifests = [
        item for item in record.manifests if item.kind in readiness.RULES and not item.is_hook
    ]
    if not manifests:
        return ()
    snapshot = await queries.fetch_release_snapshot(kube, manifests)
    read = await operator_logs.read(kube, manifests, snapshot)
    fetcher.unavailable += [*snapshot.unavailable, *read.unavailable]
    return tuple(
        _workload(item, readiness.unready_reason(item, snapshot) or read.errors.get(item.key))
        for item in manifests
    )


def _workload(manifest: Manifest, reason: str | None) -> WorkloadView:
    return WorkloadView(
        kind=manifest.kind, name=manifest.name, ready=reason is None, detail=reason or ""
    )


def _operator(operator: OperatorStatus) -> OperatorView:
    return OperatorView(
        name=operator.name,
        namespace=operator.namespace,
        version=operator.version,
        source=operator.source,
        ready=operator.state == READY,
        detail=operator.detail or ("" if operator.state == READY else operator.state.value),
    )


def _cluster_problems(cluster: ClusterView) -> list[str]:
    if cluster.state == embedded.RUNNING:
        return []
    return [f"cluster {cluster.name} is {cluster.state}"] + [
        f"{item.name} is {item.state}: {item.detail}"
        for item in cluster.components
        if item.state != embedded.RUNNING
    ]


def _operator_problems(views: tuple[OperatorView, ...]) -> list[str]:
    return [f"{item.name}: {item.detail}" for item in views if not item.ready]


def _vault_problems(view: VaultView | None, workloads: tuple[WorkloadView, ...]) -> list[str]:
    """Problems of Vault; it may be absent if the release does not use it."""
    needed = _takes_from_vault(workloads)
    if view is None or view.state == READY or (view.state == ABSENT and not needed):
        return []
    if view.state == "foreign":
        return []
    return [f"Vault: {view.detail or view.state}"]


def _takes_from_vault(workloads: tuple[WorkloadView, ...]) -> bool:
    return any(item.kind == "VaultStaticSecret" for item in workloads)


def _release_problems(environment: Environment, view: ReleaseView | None) -> list[str]:
    if view is None:
        return []
    if view.status == DEPLOYED:
        # Hooks and later steps of an unfinished deploy may be missing.
        problem = metadata.format_unready(view.revision, End(view.outcome))
        return [f"{problem}: {advice.repeat(environment)}"] if problem else []
    if view.status == ABSENT:
        return [f"release {view.name} is absent: {advice.install(environment)}"]
    return [f"release {view.name} is {view.status}: {advice.repeat(environment)}"]
