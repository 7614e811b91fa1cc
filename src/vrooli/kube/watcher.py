"""The objects of some queries, kept up to date by watches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from vrooli.kube.api_errors import ApiError
from vrooli.kube.client import Kube
from vrooli.kube.fetch import Lister, Query, fetch_lists, index, key_of, merge
from vrooli.kube.objects import Body, Ref
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable

# Whether the rest is of use without a query whose watch is refused.
Tolerates = Callable[[Query, ApiError], bool]


class Watcher:
    """Objects as they are now. `refresh` lists them, `watch` follows their changes.

    Attributes:
        changed: Set at each change; whoever waits for it clears it.
    """

    def __init__(self, kube: Kube, namespace: str, fetch: Lister, tolerates: Tolerates) -> None:
        self._kube, self._namespace = kube, namespace
        self._fetch, self._tolerates = fetch, tolerates
        self._objects: dict[Query, dict[Ref, Body]] = {}
        self._unavailable: dict[Query, Unavailable] = {}
        self._tasks: dict[Query, asyncio.Task[None]] = {}
        # What watches have reported since the last refresh began.
        self._reported: set[tuple[Query, Ref]] = set()
        # Made once between two changes.
        self._snapshot: Snapshot | None = None
        self.changed = asyncio.Event()

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that are watched."""
        return tuple(self._tasks)

    @property
    def snapshot(self) -> Snapshot:
        """The objects as they are known now."""
        if self._snapshot is None:
            self._snapshot = merge(
                self._namespace, self._objects, tuple(self._unavailable.values())
            )
        return self._snapshot

    async def refresh(self, queries: Iterable[Query]) -> Snapshot:
        """List the objects of these queries anew: watches report changes a little later.

        Raises:
            VrooliError: What the lister raised.
        """
        self._reported.clear()
        results = await fetch_lists(queries, self._fetch)
        for query, result in results.items():
            if isinstance(result, Unavailable):
                # What was read before is the best that is known.
                self._unavailable[query] = result
            else:
                self._unavailable.pop(query, None)
                self._replace(query, index(query, result))
        self._change()
        return self.snapshot

    def _replace(self, query: Query, fresh: dict[Ref, Body]) -> None:
        """Take the objects of a list, except where a watch has reported something newer."""
        current = self._objects.get(query, {})
        for ref in (ref for of, ref in self._reported if of == query):
            fresh.pop(ref, None)
            if ref in current:
                fresh[ref] = current[ref]
        self._objects[query] = fresh

    def watch(self, group: asyncio.TaskGroup, queries: Iterable[Query]) -> None:
        """Follow the changes of these queries' objects, too, in a task group."""
        for query in queries:
            if query not in self._tasks:
                self._tasks[query] = group.create_task(self._watch(query))

    def stop(self) -> None:
        """Watch no more."""
        for task in self._tasks.values():
            task.cancel()

    async def _watch(self, query: Query) -> None:
        try:
            watching = self._kube.watch(
                query.api_version,
                query.kind,
                query.namespace or None,
                query.labels,
                fields=query.fields,
                names_only=query.names_only,
                known=tuple(self._objects.get(query, {}).values()),
            )
            async with contextlib.aclosing(watching) as events:
                async for event, body in events:
                    self._apply(query, event, body)
        except ApiError as error:
            if not self._tolerates(query, error):
                raise

    def _apply(self, query: Query, event: str, body: Body) -> None:
        objects, ref = self._objects.setdefault(query, {}), key_of(query, body)
        if event == "DELETED":
            objects.pop(ref, None)
        else:
            objects[ref] = body
        self._reported.add((query, ref))
        self._change()

    def _change(self) -> None:
        self._snapshot = None
        self.changed.set()
