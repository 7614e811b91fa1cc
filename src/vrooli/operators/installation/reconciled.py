"""Waits until an operator has reconciled every object of its kinds since its start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube, pod_http
from vrooli.kube.events import Event, parse_events
from vrooli.kube.objects import Body, creation_time, is_deleted, ref_of
from vrooli.kube.status import is_pod_ready
from vrooli.operators.model import Operator
from vrooli.operators.reconciliation import Evidence

# How long an operator may take to reconcile all objects, seconds: it begins with all of them when
# it has become the leader, for which it may wait 15 s, and repeats an attempt that failed.
RECONCILED_S = 120.0
# How long its metrics may be unreadable before they count as not served, seconds.
UNREADABLE_S = 30.0
# The interval of reads, and the timeout of each, seconds: nobody can watch metrics.
POLL_S, READ_S = 1.0, 5.0


class MetricsError(VrooliError):
    """The metrics of an operator cannot be read."""


async def wait_reconciled(
    operator: Operator, kube: Kube, is_awaited: Callable[[Body], bool], progress: Progress
) -> str:
    """Wait until the operator's pod has reconciled the objects of its kinds.

    Args:
        operator: The operator.
        kube: The cluster.
        is_awaited: Whether an object must be reconciled.
        progress: Receives the progress.

    Returns:
        What was proven, as a clause.

    Raises:
        WaitTimeoutError: It has not reconciled all of them without an error.
    """
    began = read_at = time.monotonic()
    shown = ""
    while True:
        bodies = list(filter(is_awaited, await fetch_resources(operator, kube)))
        read_error = ""
        try:
            reasons = await _unreconciled(operator, kube, bodies)
        except MetricsError as error:
            read_error = f"its metrics cannot be read: {error}"
            reasons = [read_error]
        if not reasons:
            return f"{counted(len(bodies), 'resource')} reconciled"
        now = time.monotonic()
        read_at = read_at if read_error else now
        if now - read_at > UNREADABLE_S:
            return f"whether it has reconciled its resources is not proven: {read_error}"
        if now - began > RECONCILED_S:
            raise WaitTimeoutError(
                f"{operator.title} has not reconciled its resources after {RECONCILED_S:.0f} s: "
                f"{'; '.join(reasons)}"
            )
        if reasons[0] != shown:
            shown = reasons[0]
            progress.report(shown)
        await asyncio.sleep(POLL_S)


async def fetch_resources(operator: Operator, kube: Kube) -> list[Body]:
    """The objects of the operator's kinds, of all namespaces.

    Raises:
        VrooliError: They cannot be listed.
    """
    kinds = [(resource.api_version, resource.kind) for resource in operator.resources]
    lists = await asyncio.gather(*(kube.list(*kind, None) for kind in kinds))
    return [body for bodies in lists for body in bodies]


async def _find_pod(operator: Operator, kube: Kube) -> Body | None:
    """The newest pod of the operator that is ready."""
    # Pods of other namespaces may have the same labels.
    pods = await kube.list("v1", "Pod", operator.namespace, operator.selector)
    ready = [pod for pod in pods if is_pod_ready(pod) and not is_deleted(pod)]
    return max(ready, key=creation_time, default=None)


async def _unreconciled(operator: Operator, kube: Kube, bodies: Sequence[Body]) -> list[str]:
    """Why objects are not reconciled, one sentence each.

    Raises:
        MetricsError: The metrics of the operator's pod cannot be read.
    """
    pod = await _find_pod(operator, kube)
    if pod is None:
        return ["none of its pods is ready"]
    port = operator.metrics_port
    try:
        answer = await pod_http.get(kube, ref_of(pod), port, "/metrics", limit_s=READ_S)
    except (VrooliError, httpx.HTTPError, OSError) as error:
        raise MetricsError(f"port {port}: {error or type(error).__name__}") from error
    if answer.status != httpx.codes.OK:
        raise MetricsError(f"the response of port {port} has the status {answer.status}")
    events = await _fetch_events(operator, kube)
    since = datetime.fromisoformat(creation_time(pod)).astimezone(UTC)
    evidence = Evidence(bodies, answer.text, events, since, datetime.now(UTC))
    return list(operator.unreconciled(evidence))


async def _fetch_events(operator: Operator, kube: Kube) -> list[Event]:
    lists = await asyncio.gather(
        *(
            kube.list("v1", "Event", None, fields=f"involvedObject.kind={kind}")
            for kind in operator.kinds
        )
    )
    return parse_events(body for bodies in lists for body in bodies)
