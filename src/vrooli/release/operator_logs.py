"""What the operators' logs say of a release's databases, where nothing else tells of it.

PGO writes no event and no condition of most of what the API server refuses it: the resource looks
as if all had been done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.kube import Manifest as Body
from vrooli.operators import POSTGRES, REDIS, Operator, reconcile_log
from vrooli.operators.reconcile_log import ReconcileError
from vrooli.release import operated
from vrooli.release.readiness import Seen

OPERATORS: dict[str, Operator] = {"PostgresCluster": POSTGRES, "RedisFailover": REDIS}
# Lines of each log, and how long reading them may take, seconds.
LINES, READ_S = 200, 5.0


async def errors(kube: Kube, manifests: Iterable[Manifest], objects: Seen) -> dict[str, str]:
    """What the operators meet with again and again since the last change, by kind and name.

    Who may not read the operators' logs is told nothing.

    Args:
        kube: The cluster.
        manifests: The release's objects.
        objects: The namespace's objects.
    """
    databases = [item for item in manifests if item.kind in OPERATORS and not item.is_hook]
    kinds = list(dict.fromkeys(item.kind for item in databases))
    logs = await asyncio.gather(*(_read(kube, OPERATORS[kind]) for kind in kinds))
    lines = dict(zip(kinds, logs, strict=True))
    now = datetime.now(UTC)
    return {
        item.key: f"its operator can't go on: {error.message}"
        for item in databases
        for error in of_object(item, objects, lines[item.kind])
        if error.holds(now)
    }


def of_object(item: Manifest, objects: Seen, lines: Sequence[str]) -> list[ReconcileError]:
    """The errors about one of the databases since its last change."""
    body = objects.get(item.kind, item.name)
    since = None if body is None else operated.changed_at(body)
    if item.kind == "RedisFailover":
        return reconcile_log.of_redis(lines, item.namespace, item.name, since)
    return [
        error
        for error in reconcile_log.of_postgres(lines, since)
        if (error.namespace, error.name) == (item.namespace, item.name)
    ]


async def _read(kube: Kube, operator: Operator) -> list[str]:
    """The ends of the logs of an operator's pods, one after the other."""
    lines: list[str] = []
    try:
        async with asyncio.timeout(READ_S):
            for pod in await _pods(kube, operator):
                metadata, container = pod["metadata"], _container(pod, operator)
                read = kube.logs(metadata["namespace"], metadata["name"], container, tail=LINES)
                lines += [line async for line in read]
    except (VrooliError, TimeoutError):
        return lines
    return lines


async def _pods(kube: Kube, operator: Operator) -> list[Body]:
    """An operator's pods, in any namespace, or at least in its own."""
    try:
        return await kube.list("v1", "Pod", None, operator.selector)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return await kube.list("v1", "Pod", operator.namespace, operator.selector)


def _container(pod: Body, operator: Operator) -> str:
    """The operator's own container, which may have others beside it."""
    containers = pod["spec"]["containers"]
    own = [one for one in containers if operator.name in one["image"].rpartition("/")[2]]
    return str((own or containers)[0]["name"])
