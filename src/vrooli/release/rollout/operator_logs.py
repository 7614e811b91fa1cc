"""Errors about a release's databases that only the operators' logs show.

PGO writes no event and no condition of most of what the API server refuses it: the resource looks
as if all had been done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube import Manifest as Body
from vrooli.kube.pods import LogRange
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import ContainerStatus, pod_status
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OPERATORS, Operator, reconcile_log
from vrooli.operators.progress import changed_at
from vrooli.operators.reconcile_log import ObjectLog, ReconcileError

# The operators whose errors are in their logs only, by the kinds that they serve.
BY_KIND = {
    kind: operator
    for operator in OPERATORS
    if operator.reconcile_errors is not None
    for kind in operator.kinds
}
# Lines of each log, and how long reading them may take, seconds.
LINES, READ_S = 1000, 5.0
# An operator writes its first line within this after its start, seconds.
FIRST_LINE_S = 60.0


@dataclass(frozen=True)
class Log:
    """The last lines of the log of an operator's pod.

    Attributes:
        lines: The lines.
        is_whole: Whether they begin with the operator: nothing was cut off or rotated away.
    """

    lines: Sequence[str]
    is_whole: bool


@dataclass(frozen=True)
class Reading:
    """The errors in the operators' logs.

    Attributes:
        errors: What the operators meet with again and again since the last change, by the kind and
            name of the object.
        unavailable: The logs that couldn't be read.
    """

    errors: Mapping[str, str]
    unavailable: Sequence[Unavailable] = ()


async def read(kube: Kube, manifests: Iterable[Manifest], objects: Snapshot) -> Reading:
    """Read the errors in the operators' logs, and report the logs that could not be read.

    Args:
        kube: The cluster.
        manifests: The release's objects.
        objects: The namespace's objects.
    """
    databases = [item for item in manifests if item.kind in BY_KIND and not item.is_hook]
    kinds = list(dict.fromkeys(item.kind for item in databases))
    operators = [BY_KIND[kind] for kind in kinds]
    results = await asyncio.gather(*(_logs(kube, operator) for operator in operators))
    logs = {kind: kind_logs for kind, (kind_logs, _) in zip(kinds, results, strict=True)}
    unavailable = [reason for _, reason in results if reason is not None]
    try:
        errors = _current_errors(databases, logs, objects)
    except Exception as raised:  # noqa: BLE001 - a log of others must not fail the release
        errors = {}
        reason = f"internal error: {type(raised).__name__}: {raised}"
        unavailable.append(Unavailable("the errors in the operators' logs", reason))
    return Reading(errors, tuple(unavailable))


def _current_errors(
    databases: Iterable[Manifest], logs: Mapping[str, Sequence[Log]], objects: Snapshot
) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        item.key: f"its operator can't go on: {error.message}"
        for item in databases
        for log in logs[item.kind]
        for error in of_object(item, objects, log)
        if error.is_current(now)
    }


def of_object(item: Manifest, objects: Snapshot, log: Log) -> list[ReconcileError]:
    """The errors about one of the databases since its last change."""
    body, read_errors = objects.find(item.kind, item.name), BY_KIND[item.kind].reconcile_errors
    if read_errors is None:
        return []
    since = None if body is None else changed_at(body)
    return read_errors(ObjectLog(log.lines, item.namespace, item.name, since, log.is_whole))


async def _logs(kube: Kube, operator: Operator) -> tuple[list[Log], Unavailable | None]:
    """The last lines of the logs of an operator's pods, and why the rest could not be read."""
    what = f"the log of {operator.title}"
    logs: list[Log] = []
    try:
        async with asyncio.timeout(READ_S):
            for pod in await _pods(kube, operator):
                # A container that never ran has no log; the readiness reports that.
                if (status := _status(pod, operator)) is not None:
                    logs.append(await _log(kube, pod, status))
    except TimeoutError:
        return logs, Unavailable(what, f"no answer within {READ_S:.0f} s")
    except VrooliError as error:
        return logs, Unavailable.of(what, error)
    return logs, None


async def _log(kube: Kube, pod: Body, status: ContainerStatus) -> Log:
    """The last lines of the log of the container with this status."""
    metadata = pod["metadata"]
    read = kube.logs(
        metadata["namespace"], metadata["name"], status.name, part=LogRange(tail=LINES)
    )
    lines = [line async for line in read]
    first = next(filter(None, map(reconcile_log.line_time, lines)), None)
    if status.started_at is None or first is None:
        return Log(lines, len(lines) < LINES)
    latest = status.started_at + timedelta(seconds=FIRST_LINE_S)
    return Log(lines, first <= latest)


async def _pods(kube: Kube, operator: Operator) -> list[Body]:
    """An operator's pods in its own namespace; if there are none, in any.

    Pods of others may have the same labels, and what they write would count as the operator's.

    Raises:
        ApiError: They may be in a namespace that may not be looked at.
    """
    own = await kube.list("v1", "Pod", operator.namespace, operator.selector)
    return own or await kube.list("v1", "Pod", None, operator.selector)


def _status(pod: Body, operator: Operator) -> ContainerStatus | None:
    """The status of an operator's container; None if it never ran."""
    name = _container(pod, operator)
    status = pod_status(pod).container(name)
    return status if status is not None and (status.is_running or status.terminated) else None


def _container(pod: Body, operator: Operator) -> str:
    """The name of the operator's container, which may have sidecars."""
    containers = pod["spec"]["containers"]
    own = [one for one in containers if operator.name in one["image"].rpartition("/")[2]]
    return str((own or containers)[0]["name"])
