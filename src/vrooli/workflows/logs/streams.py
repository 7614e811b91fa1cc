"""Streams the logs of a component's pods, those that replace them later included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.api_errors import ApiError
from vrooli.kube.objects import Body, items, text
from vrooli.kube.pods import LogRange
from vrooli.kube.status import pod_status

# The pause before a log that broke off is read again, seconds.
AGAIN_S = 1.0
# The statuses of a log whose pod was deleted, or whose container was replaced meanwhile.
GONE = (httpx.codes.NOT_FOUND, httpx.codes.BAD_REQUEST)


@dataclass(frozen=True)
class Line:
    """One line of a log.

    Attributes:
        time: When it was written, as the kubelet states it: times of one form can be compared.
        pod: The name of the pod.
        container: The container of the pod.
        text: The line.
    """

    time: str
    pod: str
    container: str
    text: str


@dataclass(frozen=True)
class Source:
    """The logs of containers in pods with these labels.

    Attributes:
        namespace: The namespace of the pods.
        labels: The label selector of the pods.
        container: The container that each pod has.
        others: Containers that some pods have.
    """

    namespace: str
    labels: str
    container: str
    others: tuple[str, ...] = ()

    def containers_of(self, pod: Body) -> list[str]:
        """Those containers that a pod has."""
        declared = {text(container, "name") for container in items(pod, "spec", "containers")}
        return [self.container, *(name for name in self.others if name in declared)]


async def read(kube: Kube, source: Source, pod: str, container: str, part: LogRange) -> list[Line]:
    """The lines that the log of a pod's container has now.

    Raises:
        ApiError: There is no such log.
        VrooliError: It broke off.
    """
    lines = _lines(kube, source.namespace, pod, container, part=part, follow=False)
    return [line async for line in lines]


async def _lines(
    kube: Kube, namespace: str, pod: str, container: str, *, part: LogRange, follow: bool
) -> AsyncIterator[Line]:
    async for line in kube.logs(
        namespace, pod, container, part=part, follow=follow, timestamps=True
    ):
        time, _, content = line.partition(" ")
        yield Line(time, pod, container, content)


@dataclass
class Follower:
    """Follows the logs of all pods of a source, until cancelled.

    Attributes:
        kube: The cluster.
        source: The logs.
        first: The part of a log that is read of containers that run at the start.
        on_line: Receives each line.
    """

    kube: Kube
    source: Source
    first: LogRange
    on_line: Callable[[Line], None]
    _runs: set[tuple[str, str, datetime]] = field(default_factory=set)

    async def run(self, present: Iterable[Body]) -> None:
        """Follow each run of the containers in each pod; later runs from their first line.

        Args:
            present: The pods at the start.

        Raises:
            ApiError: The server refuses the watch, or a log.
        """
        async with asyncio.TaskGroup() as group:
            for pod in present:
                self._start(pod, self.first, group)
            pods = self.kube.watch("v1", "Pod", self.source.namespace, self.source.labels)
            async for event, pod in pods:
                if event != "DELETED":
                    self._start(pod, LogRange(), group)

    def _start(self, pod: Body, part: LogRange, group: asyncio.TaskGroup) -> None:
        """Follow the current runs of a pod's containers, unless they are followed already."""
        name = text(pod, "metadata", "name")
        followed = self.source.containers_of(pod)
        for container in pod_status(pod).containers:
            started_at = container.last_started_at
            if container.name not in followed or started_at is None:
                continue
            run = (name, container.name, started_at)
            if run not in self._runs:
                self._runs.add(run)
                group.create_task(self._follow(name, container.name, part))

    async def _follow(self, pod: str, container: str, part: LogRange) -> None:
        """Report the lines of one run; a log that breaks off is read on after its last line."""
        last = ""
        while True:
            known = last
            try:
                lines = _lines(
                    self.kube, self.source.namespace, pod, container, part=part, follow=True
                )
                async for line in lines:
                    if line.time > known:
                        self.on_line(line)
                        last = line.time
            except ApiError as error:
                if error.status not in GONE:
                    raise
            except VrooliError:
                await asyncio.sleep(AGAIN_S)
                part = LogRange(since=last) if last else part
                continue
            return
