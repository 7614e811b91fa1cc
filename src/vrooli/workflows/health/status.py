"""The status of cluster, operators, Vault and release; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from vrooli import operators
from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import VrooliError
from vrooli.events import Listener, Progress
from vrooli.findings import Verdict
from vrooli.kube import Kube, RequestBudget
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor
from vrooli.release import Release, overrides, secret_redaction
from vrooli.release.overrides import Overrides
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import operator_logs, queries, readiness
from vrooli.workflows import advice, packages
from vrooli.workflows.change_view import override_view
from vrooli.workflows.clusters import access, embedded
from vrooli.workflows.development import edited_pods
from vrooli.workflows.health import failures, platform
from vrooli.workflows.health import problems as status_problems
from vrooli.workflows.health.fetcher import StatusFetcher
from vrooli.workflows.health.platform import VAULT
from vrooli.workflows.health.problems import ABSENT
from vrooli.workflows.restores import unfinished
from vrooli.workflows.results.base import MissingView
from vrooli.workflows.results.clusters import ClusterView
from vrooli.workflows.results.status import (
    OperatorView,
    ReleaseView,
    StatusResult,
    VaultView,
    WorkloadView,
)
from vrooli.workflows.urls import release_urls

View = TypeVar("View", OperatorView, VaultView, WorkloadView)
# The default timeout, seconds; it ends as soon as everything is read.
LIMIT_S = 120.0
# The time for a lookup of packages, seconds; it is made once a day at most.
PACKAGES_S = 4.0


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
    work = _read(environment, cluster, listener, timeout_s)
    return await packages.add_to(work, min(PACKAGES_S, timeout_s))


async def _read(
    environment: Environment, cluster: str | None, listener: Listener, timeout_s: float
) -> StatusResult:
    progress = Progress("status", listener)
    choice, target = await access.find(cluster)
    cluster_view = await embedded.view(target)
    if cluster_view.state in (embedded.ABSENT, embedded.STOPPED, embedded.PAUSED):
        hint = advice.start(environment, cluster_view.state, cluster)
        if cluster_view.state == embedded.PAUSED:
            hint = f"`vrooli resume {cluster_view.name}` resumes it"
        problem = f"cluster {choice} is {cluster_view.state}: {hint}"
        return _result(environment, cluster_view, problems=(problem,))
    try:
        kube = await Kube.connect(target.kubeconfig)
    except VrooliError as error:
        what = f"the Kubernetes API of cluster {choice}"
        missing = (MissingView(resource=what, reason=error.message, advice=error.advice),)
        problems = tuple(status_problems.of_cluster(cluster_view))
        return _result(environment, cluster_view, problems=problems, missing=missing)
    async with kube:
        release = Release.of(environment, target.kubeconfig)
        fetcher = StatusFetcher(budget=RequestBudget(timeout_s))
        async with fetcher.budget.reporting(progress):
            state = await _fetch_all(kube, release, fetcher)
    urls = release_urls(target.urls(), state.manifests) if state.manifests else {}
    return _complete(environment, cluster_view, state, fetcher.unavailable, urls)


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


@dataclass(frozen=True)
class _State:
    """What was read; None for what could not be read.

    Attributes:
        manifests: The objects of the release; empty if it does not exist.
        redactor: Redacts the values of the release's secrets.
    """

    operators: tuple[OperatorView, ...]
    vault: VaultView | None
    release: ReleaseView | None
    workloads: tuple[WorkloadView, ...] | None
    manifests: tuple[Manifest, ...]
    redactor: Redactor


async def _fetch_all(kube: Kube, release: Release, fetcher: StatusFetcher) -> _State:
    async with asyncio.TaskGroup() as group:
        of_operators = [
            group.create_task(platform.fetch_operator(kube, operator, fetcher))
            for operator in operators.OPERATORS
        ]
        of_vault = group.create_task(platform.fetch_vault(kube, fetcher))
        of_release = group.create_task(_fetch_release(kube, release, fetcher))
        of_secrets = group.create_task(secret_redaction.redactor(kube, release.namespace))
    release_view, record, workloads = of_release.result()
    redactor = of_secrets.result()
    return _State(
        operators=tuple(
            _redacted(item, redactor) for task in of_operators if (item := task.result())
        ),
        vault=_redacted(view, redactor) if (view := of_vault.result()) else None,
        release=release_view,
        workloads=None
        if workloads is None
        else tuple(_redacted(item, redactor) for item in workloads),
        manifests=tuple(record.manifests) if record else (),
        redactor=redactor,
    )


def _redacted(view: View, redactor: Redactor) -> View:
    """A view whose detail may quote a log, without the values of the release's Secrets."""
    return view.model_copy(update={"detail": redactor.text(view.detail)})


def _complete(
    environment: Environment,
    cluster: ClusterView,
    state: _State,
    unavailable: Iterable[Unavailable],
    urls: dict[str, str],
) -> StatusResult:
    workloads = state.workloads or ()
    problems = status_problems.find(
        environment, cluster, state.operators, state.vault, state.release, workloads
    )
    return _result(
        environment,
        cluster,
        problems=tuple(map(state.redactor.text, problems)),
        missing=_missing(unavailable, state),
        operators=state.operators,
        vault=state.vault,
        release=state.release,
        workloads=workloads,
        urls=urls,
    )


def _missing(unavailable: Iterable[Unavailable], state: _State) -> tuple[MissingView, ...]:
    """What could not be read; not Vault, if the release is known not to use it."""
    needs_vault = state.workloads is None or status_problems.uses_vault(state.workloads)
    redact = state.redactor.text
    return tuple(
        MissingView(resource=item.resource, reason=redact(item.reason), advice=item.advice)
        for item in unavailable
        if item.resource != VAULT or needs_vault
    )


async def _fetch_release(
    kube: Kube, release: Release, fetcher: StatusFetcher
) -> tuple[ReleaseView | None, ReleaseRecord | None, tuple[WorkloadView, ...] | None]:
    """Fetch the release and its workloads by one read of Helm's record; None if unreadable."""
    records: list[ReleaseRecord | None] = []

    async def fetch() -> ReleaseView:
        record = await storage.fetch_record(kube, release)
        records[:] = [record]
        return _release(release, record, await overrides.fetch(kube, release))

    view = await fetcher.at(f"release {release.name}", fetch)
    if not records:
        return None, None, None
    workloads = await fetcher.at("the workloads", partial(_workloads, kube, records[0], fetcher))
    annotate = partial(unfinished.annotate, kube, release, workloads or ())
    return view, records[0], await fetcher.at("restores", annotate) or workloads


def _release(release: Release, record: ReleaseRecord | None, stored: Overrides) -> ReleaseView:
    views = tuple(map(override_view, stored.entries))
    if record is None:
        return ReleaseView(
            name=release.name, namespace=release.namespace, status=ABSENT, overrides=views
        )
    return ReleaseView(
        name=release.name,
        namespace=release.namespace,
        status=record.revision.status,
        revision=record.revision.number,
        chart=record.revision.chart,
        outcome=record.metadata.end.value,
        overrides=views,
        edited=edited_pods.view(record.manifests),
    )


async def _workloads(
    kube: Kube, record: ReleaseRecord | None, fetcher: StatusFetcher
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
    reasons = {
        item.key: reason
        for item in manifests
        if (reason := readiness.unready_reason(item, snapshot) or read.errors.get(item.key))
    }
    by_key = {item.key: item for item in manifests}
    reasons = await failures.add_failures(kube, by_key, reasons, snapshot)
    return tuple(_workload(item, reasons.get(item.key)) for item in manifests)


def _workload(manifest: Manifest, reason: str | None) -> WorkloadView:
    return WorkloadView(
        kind=manifest.kind, name=manifest.name, ready=reason is None, detail=reason or ""
    )
