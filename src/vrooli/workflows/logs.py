"""Shows the logs of one component's pods, line by line and with secrets masked.

The values of the namespace's Secrets and text that looks like a secret are masked. A secret that
is split over two lines is not detected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from vrooli.environments import Environment
from vrooli.errors import UsageError
from vrooli.events import Listener, LogLine
from vrooli.operators.pgo import names as pgo
from vrooli.redaction import Lines, Redactor
from vrooli.release import secret_redaction
from vrooli.workflows import advice
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import Result


@dataclass(frozen=True)
class Component:
    """The location of a component's logs.

    Attributes:
        labels: The label selector of its pods; ``{release}`` is replaced by the release's name.
        container: The container with the log; None if its pods have only one.
    """

    labels: str
    container: str | None = None


_OWN = "app.kubernetes.io/instance={release},app.kubernetes.io/component="
COMPONENTS = {
    **{
        name: Component(_OWN + name, name)
        for name in ("ui", "server", "jobs", "nsfw-detector", "adminer", "rotator")
    },
    # The labels that the two operators set on the pods of the chart's resources.
    "postgres": Component(
        f"{pgo.CLUSTER_LABEL}=vrooli-pg,{pgo.INSTANCE_LABEL}",
        "database",
    ),
    "pgbouncer": Component(
        f"{pgo.CLUSTER_LABEL}=vrooli-pg,{pgo.ROLE_LABEL}=pgbouncer",
        "pgbouncer",
    ),
    "redis": Component(
        "app.kubernetes.io/name=vrooli-rf,app.kubernetes.io/component=redis", "redis"
    ),
    "sentinel": Component(
        "app.kubernetes.io/name=vrooli-rf,app.kubernetes.io/component=sentinel", "sentinel"
    ),
}


async def release_logs(
    environment: Environment,
    cluster: str | None,
    component: str,
    listener: Listener,
    *,
    tail: int,
    follow: bool,
) -> Result:
    """Report the last log lines of a component's pods; with ``follow``, all further ones too.

    Raises:
        UsageError: There is no such component.
        PrerequisiteError: The cluster is not running.
    """
    selector = COMPONENTS.get(component)
    if selector is None:
        raise UsageError(
            f"Unknown component {component!r}.", f"Use one of: {', '.join(COMPONENTS)}."
        )
    async with access.connect(cluster) as reached:
        labels = selector.labels.format(release=environment.release)
        pods = await reached.kube.list("v1", "Pod", environment.namespace, labels)
        if not pods:
            raise UsageError(
                f"{environment.release} has no pods of {component} in {environment.namespace}.",
                "See `vrooli status`. If the release does not exist, "
                f"{advice.install(environment)}.",
            )
        redactor = await secret_redaction.redactor(reached.kube, environment.namespace)
        async with asyncio.TaskGroup() as group:
            for pod in pods:
                name = pod["metadata"]["name"]
                lines = reached.kube.logs(
                    environment.namespace, name, selector.container, tail=tail, follow=follow
                )
                group.create_task(_stream(lines, name, redactor, listener))
    return Result()


async def _stream(
    lines: AsyncIterator[str], pod: str, redactor: Redactor, listener: Listener
) -> None:
    masking = Lines(redactor)
    async for line in lines:
        listener(LogLine(pod, masking.next(line)))
