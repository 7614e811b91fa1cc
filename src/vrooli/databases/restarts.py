"""Which pods of databases are restarted while something else is changed, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vrooli.kube import ApiError, Kube
from vrooli.kube.fetch import Query
from vrooli.kube.objects import Body, Ref, ref_of
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import has_ended, is_pod_ready, pod_status
from vrooli.kube.watcher import Watcher
from vrooli.operators.catalog import databases
from vrooli.steps import first_error


@dataclass(frozen=True)
class Restart:
    """A pod of a database that was restarted or was not ready for a time.

    Attributes:
        pod: The pod, or the Deployment whose pods have no names of their own.
        restarted: Whether the pod was replaced or a container of it was restarted.
        unready_s: How long fewer pods than before were ready, seconds.
    """

    pod: Ref
    restarted: bool
    unready_s: float


@dataclass
class _Place:
    """The pods of one name, or of one Deployment."""

    ids: frozenset[str]
    ready: int
    restarted: bool = False
    unready_s: float = 0.0
    since: float | None = None

    def observe(self, ids: frozenset[str], ready: int, now: float) -> None:
        """Compare it with what it was at the begin."""
        self.restarted |= bool(self.ids - ids)
        if ready < self.ready:
            self.since = now if self.since is None else self.since
        elif self.since is not None:
            self.unready_s = self.total_s(now)
            self.since = None

    def total_s(self, now: float) -> float:
        """How long fewer pods than at the begin were ready, seconds."""
        return self.unready_s + (0.0 if self.since is None else now - self.since)


@dataclass
class Restarts:
    """The pods of all databases of a cluster since the first observation."""

    _places: dict[Ref, _Place] = field(default_factory=dict)
    _is_begun: bool = False

    def observe(self, snapshot: Snapshot, now: float) -> None:
        """Compare the pods with those of the first observation.

        Args:
            snapshot: The pods of the cluster.
            now: The monotonic time, seconds.
        """
        pods = _by_place(snapshot)
        if not self._is_begun:
            self._is_begun = True
            self._places = {ref: _Place(_ids(of), _ready(of)) for ref, of in pods.items()}
        for ref, place in self._places.items():
            of = pods.get(ref, [])
            place.observe(_ids(of), _ready(of), now)

    def result(self, now: float) -> list[Restart]:
        """The pods that were restarted or not ready, by their names."""
        results = [
            Restart(ref, place.restarted, place.total_s(now)) for ref, place in self._places.items()
        ]
        found = [item for item in results if item.restarted or item.unready_s]
        return sorted(found, key=lambda item: (item.pod.namespace, item.pod.name))


@contextlib.asynccontextmanager
async def follow(kube: Kube) -> AsyncIterator[Restarts]:
    """Follow the pods of all databases of a cluster during the block.

    Raises:
        ApiError: They cannot be listed.
    """
    queries = [Query("v1", "Pod", labels=label) for label in _labels()]

    async def fetch(query: Query) -> Sequence[Body]:
        return await kube.list("v1", "Pod", None, query.labels)

    watcher = Watcher(kube, "", fetch, _tolerates)
    restarts = Restarts()
    restarts.observe(await watcher.refresh(queries), time.monotonic())

    async def observe() -> None:
        while True:
            await watcher.changed.wait()
            watcher.changed.clear()
            restarts.observe(watcher.snapshot, time.monotonic())

    try:
        async with asyncio.TaskGroup() as group:
            watcher.watch(group, queries)
            observing = group.create_task(observe())
            try:
                yield restarts
            finally:
                observing.cancel()
                watcher.stop()
    except BaseExceptionGroup as errors:  # raise the block's own error without a group
        raise first_error(errors) from None
    restarts.observe(await watcher.refresh(queries), time.monotonic())


def _tolerates(query: Query, error: ApiError) -> bool:
    del query, error
    return False


def _labels() -> list[str]:
    return [resource.pod_label for resource in databases().values()]


def _by_place(snapshot: Snapshot) -> Mapping[Ref, list[Body]]:
    """The pods by their names; those of a Deployment by the name of it."""
    places: dict[Ref, list[Body]] = {}
    for pod in snapshot.all("Pod", ""):
        owner = snapshot.owner(pod)
        if owner.kind != "Job" and not has_ended(pod):
            ref = owner if owner.kind == "Deployment" else ref_of(pod)
            places.setdefault(ref, []).append(pod)
    return places


def _ids(pods: Iterable[Body]) -> frozenset[str]:
    """What changes if a pod is replaced or a container of it is restarted."""
    return frozenset(
        f"{pod['metadata'].get('uid')} {sum(item.restarts for item in pod_status(pod).containers)}"
        for pod in pods
    )


def _ready(pods: Iterable[Body]) -> int:
    return sum(map(is_pod_ready, pods))
