"""Keeps what is known of a cluster up to date: watches for objects, and asking pods meanwhile.

The kernel's tables of connections can't be watched through the API: while somebody looks, the
pods are asked again and again; that also shows whether the cluster answers at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from vrooli.errors import VrooliError
from vrooli.graph.live import fetch
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Diagram
from vrooli.kube import ApiError, Kube
from vrooli.kube.fetch import Query
from vrooli.kube.watcher import Watcher

# How often pods are asked for their connections while somebody looks, seconds.
POLL_S = 5.0
# A cluster that doesn't say within this time that it is ready is away, seconds.
API_TIMEOUT_S = 4.0
# How soon it is asked again, seconds.
RETRY_S = 1.0
# Everything is read anew this often, seconds: a watch may miss an end between two requests.
RELIST_S = 60.0
# Changes come in bursts; one look after each is enough, seconds.
DEBOUNCE_S = 0.15


class GraphWatcher:
    """What is known of a cluster, as it changes."""

    def __init__(
        self,
        kube: Kube,
        diagrams: Sequence[Diagram],
        queries: Sequence[Query],
        is_active: Callable[[], bool],
    ) -> None:
        self._kube, self._diagrams, self._queries = kube, diagrams, queries
        self._is_active = is_active
        self._watcher = Watcher(
            kube, queries[0].namespace, partial(fetch.fetch_list, kube), _tolerates
        )
        self._sockets: Mapping[tuple[str, str], tuple[Socket, ...]] = {}
        self._socket_errors: Mapping[tuple[str, str], str] = {}
        self._refresh_requested = asyncio.Event()
        # Since when the cluster hasn't answered; None while it does.
        self.unreachable_since: datetime | None = None

    @property
    def snapshot(self) -> GraphSnapshot:
        """All that is known now."""
        return GraphSnapshot.build(self._watcher.snapshot, self._sockets, self._socket_errors)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._watcher.refresh(self._queries)
        await self._poll_sockets()
        async with asyncio.TaskGroup() as group:
            self._watcher.watch(group, self._queries)
            group.create_task(self._poll())

    async def wait_for_change(self) -> None:
        """Wait until something may be different."""
        await self._watcher.changed.wait()
        await asyncio.sleep(DEBOUNCE_S)
        self._watcher.changed.clear()

    def refresh(self) -> None:
        """Somebody has come to look: ask the pods now, not at the next time."""
        self._refresh_requested.set()

    async def _poll(self) -> None:
        """Ask pods while somebody looks, and notice when the cluster goes and comes back."""
        listed_at = time.monotonic()
        while True:
            if self._is_active():
                was_unreachable = self.unreachable_since is not None
                await self._check_api()
                if self.unreachable_since is None:
                    if was_unreachable or time.monotonic() - listed_at > RELIST_S:
                        await self._watcher.refresh(self._queries)
                        listed_at = time.monotonic()
                    await self._poll_sockets()
                self._watcher.changed.set()
            interval_s = POLL_S if self.unreachable_since is None else RETRY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._refresh_requested.wait(), interval_s)
            self._refresh_requested.clear()

    async def _check_api(self) -> None:
        try:
            async with asyncio.timeout(API_TIMEOUT_S):
                await self._kube.version()
            self.unreachable_since = None
        except (TimeoutError, VrooliError):
            self.unreachable_since = self.unreachable_since or datetime.now(UTC)

    async def _poll_sockets(self) -> None:
        pods = fetch.pods_to_inspect(self.snapshot, self._diagrams)
        self._sockets, self._socket_errors = await fetch.fetch_sockets(self._kube, pods)
        self._watcher.changed.set()


def _tolerates(query: Query, error: ApiError) -> bool:
    """Every refused watch: its objects are listed anew from time to time."""
    del query, error
    return True
