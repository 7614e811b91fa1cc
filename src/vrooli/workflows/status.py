"""How everything is, without changing anything."""

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
from vrooli.kube import Kube, Patience
from vrooli.operators import OperatorStatus
from vrooli.release import Release, secret_redaction
from vrooli.release.records import metadata, storage
from vrooli.release.records.metadata import End
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import operator_logs, readiness, tracker
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
# How long looking may take unless its caller says otherwise, seconds: it ends when all is seen.
LIMIT_S = 120.0


async def status(
    environment: Environment,
    cluster: str | None,
    listener: Listener,
    timeout_s: float = LIMIT_S,
) -> StatusResult:
    """Look at the cluster, the operators, Vault, the release and its workloads, all at once.

    What can't be seen never stops the rest, and is told apart from what isn't healthy.

    Args:
        environment: Whose release.
        cluster: As ``--cluster`` takes it; None picks one.
        listener: Told what is waited for.
        timeout_s: How long looking may take, seconds; it ends when all is seen.

    Raises:
        UsageError: The cluster's name is wrong.
    """
    progress = Progress("status", listener)
    choice, found = await access.find(cluster)
    seen = await embedded.view(found)
    if seen.state in (embedded.ABSENT, embedded.STOPPED):
        way = advice.start(environment, seen.state)
        problem = f"cluster {choice} is {seen.state}: {way}"
        return _result(environment, seen, problems=(problem,))
    try:
        kube = await Kube.connect(found.kubeconfig)
    except VrooliError as error:
        what = f"the Kubernetes API of cluster {choice}"
        missing = (MissingView(resource=what, reason=error.message, advice=error.advice),)
        problems = tuple(_cluster_problems(seen))
        return _result(environment, seen, problems=problems, missing=missing)
    async with kube:
        release = Release.of(environment, found.kubeconfig)
        look = _Look(Patience(timeout_s))
        async with look.patience.telling(progress):
            return await _look(environment, kube, release, seen, release_urls(found), look)


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


async def _look(
    environment: Environment,
    kube: Kube,
    release: Release,
    seen: ClusterView,
    urls: dict[str, str],
    look: _Look,
) -> StatusResult:
    async with asyncio.TaskGroup() as group:
        of_operators = [
            group.create_task(look.at(operator.title, partial(operators.status, operator, kube)))
            for operator in operators.ALL
        ]
        of_vault = group.create_task(look.at(VAULT, partial(vault.status, kube)))
        of_release = group.create_task(_look_at_release(kube, release, look))
        hides = group.create_task(secret_redaction.redactor(kube, release.namespace))
    operator_views = tuple(_operator(item) for task in of_operators if (item := task.result()))
    vault_seen = of_vault.result()
    vault_view = VaultView(**vars(vault_seen)) if vault_seen else None
    redactor = hides.result()
    release_view, found_workloads = of_release.result()
    workloads = tuple(
        item.model_copy(update={"detail": redactor.text(item.detail)})
        for item in found_workloads or ()
    )
    problems = (
        *_cluster_problems(seen),
        *_operator_problems(operator_views),
        *_vault_problems(vault_view, workloads),
        *_release_problems(environment, release_view),
        *(f"{item.kind} {item.name}: {item.detail}" for item in workloads if not item.ready),
    )
    known = None if found_workloads is None else workloads
    return _result(
        environment,
        seen,
        problems=tuple(map(redactor.text, problems)),
        missing=tuple(
            item.model_copy(update={"reason": redactor.text(item.reason)})
            for item in look.missing
            if item.resource != VAULT or known is None or _takes_from_vault(known)
        ),
        operators=operator_views,
        vault=vault_view,
        release=release_view,
        workloads=workloads,
        urls=urls if release_view and release_view.revision else {},
    )


@dataclass
class _Look:
    """Notes what can't be seen, so that one failing look doesn't stop the others."""

    patience: Patience
    missing: list[MissingView] = field(default_factory=list)

    async def at(self, what: str, look: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await self.patience.ask(what, lambda _: look(), limit_s=self.patience.total_s)
        except VrooliError as error:
            view = MissingView(resource=what, reason=error.message, advice=error.advice)
            self.missing.append(view)
            return None


async def _look_at_release(
    kube: Kube, release: Release, look: _Look
) -> tuple[ReleaseView | None, tuple[WorkloadView, ...] | None]:
    """The release and its workloads, by one read of Helm's record; None is what can't be read."""
    records: list[ReleaseRecord | None] = []

    async def fetch() -> ReleaseView:
        record = await storage.fetch_record(kube, release)
        records[:] = [record]
        return _release(release, record)

    view = await look.at(f"release {release.name}", fetch)
    if not records:
        return None, None
    workloads = await look.at("the workloads", partial(_workloads, kube, records[0], look))
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
        end=record.metadata.end.value,
    )


async def _workloads(
    kube: Kube, record: ReleaseRecord | None, look: _Look
) -> tuple[WorkloadView, ...]:
    """What the release consists of that can be ready or not; none when it is absent."""
    if record is None:
        return ()
    wanted = [
        item for item in record.manifests if item.kind in readiness.RULES and not item.is_hook
    ]
    if not wanted:
        return ()
    seen = await tracker.snapshot(kube, wanted)
    read = await operator_logs.read(kube, wanted, seen)
    look.missing += [
        MissingView(resource=item.resource, reason=item.reason, advice=item.advice)
        for item in (*seen.unavailable, *read.unavailable)
    ]
    return tuple(
        _workload(item, readiness.lack(item, seen) or read.errors.get(item.key)) for item in wanted
    )


def _workload(manifest: Manifest, lack: str | None) -> WorkloadView:
    return WorkloadView(
        kind=manifest.kind, name=manifest.name, ready=lack is None, detail=lack or ""
    )


def _operator(found: OperatorStatus) -> OperatorView:
    return OperatorView(
        name=found.name,
        namespace=found.namespace,
        version=found.version,
        source=found.source,
        ready=found.state == READY,
        detail=found.detail or ("" if found.state == READY else found.state.value),
    )


def _cluster_problems(cluster: ClusterView) -> list[str]:
    if cluster.state == embedded.RUNNING:
        return []
    return [f"cluster {cluster.name} is {cluster.state}"] + [
        f"{item.name} is {item.state}: {item.detail}"
        for item in cluster.components
        if item.state != embedded.RUNNING
    ]


def _operator_problems(found: tuple[OperatorView, ...]) -> list[str]:
    return [f"{item.name}: {item.detail}" for item in found if not item.ready]


def _vault_problems(found: VaultView | None, workloads: tuple[WorkloadView, ...]) -> list[str]:
    """Vault may be absent, or someone else's, unless the release takes its secrets from it."""
    needed = _takes_from_vault(workloads)
    if found is None or found.state == READY or (found.state == ABSENT and not needed):
        return []
    if found.state == "foreign":
        return []
    return [f"Vault: {found.detail or found.state}"]


def _takes_from_vault(workloads: tuple[WorkloadView, ...]) -> bool:
    return any(item.kind == "VaultStaticSecret" for item in workloads)


def _release_problems(environment: Environment, found: ReleaseView | None) -> list[str]:
    if found is None:
        return []
    if found.status == DEPLOYED:
        # What is ready by now needn't be all of it: hooks and whatever comes after may be missing.
        half = metadata.format_unready(found.revision, End(found.end))
        return [f"{half}: {advice.repeat(environment)}"] if half else []
    if found.status == ABSENT:
        return [f"release {found.name} is absent: {advice.install(environment)}"]
    return [f"release {found.name} is {found.status}: {advice.repeat(environment)}"]
