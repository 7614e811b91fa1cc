"""Keeps what is known of a cluster up to date: watches for objects, and asking pods meanwhile.

The kernel's tables of connections can't be watched through the API: while somebody looks, the
pods are asked again and again; that also shows whether the cluster answers at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from vrooli.errors import VrooliError
from vrooli.graph import reading
from vrooli.graph.live import fetch
from vrooli.graph.live.fetch import Wanted
from vrooli.graph.live.snapshot import Place, Sight
from vrooli.graph.model import Diagram
from vrooli.graph.reading import Body
from vrooli.kube import Kube
from vrooli.kube.rest import ApiError

# How often pods are asked for their connections while somebody looks, seconds.
ASK_EVERY_S = 5.0
# A cluster that doesn't say within this time that it is ready is away, seconds.
ANSWER_S = 4.0
# How soon it is asked again, seconds.
AWAY_S = 1.0
# Everything is read anew this often, seconds: a watch may miss an end between two requests.
AFRESH_S = 60.0
# Changes come in bursts; one look after each is enough, seconds.
BURST_S = 0.15


class Watch:
    """What is known of a cluster, as it changes."""

    def __init__(
        self,
        kube: Kube,
        diagrams: Sequence[Diagram],
        places: Sequence[Wanted],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._kube, self._diagrams, self._places = kube, diagrams, places
        self._is_wanted = is_wanted
        self._objects: dict[Place, dict[str, Body]] = {place.place: {} for place in places}
        self._refused: dict[Place, str] = {}
        self._seen = Sight(places[0].namespace)
        self._changed, self._wake = asyncio.Event(), asyncio.Event()
        # Since when the cluster hasn't answered; None while it does.
        self.away_since: datetime | None = None

    @property
    def seen(self) -> Sight:
        """All that is known now."""
        return Sight(
            self._seen.namespace,
            self._objects,
            self._refused,
            self._seen.sockets,
            self._seen.mute,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._read_all()
        await self._ask_once()
        self._changed.set()
        async with asyncio.TaskGroup() as group:
            for place in self._places:
                group.create_task(self._follow(place))
            group.create_task(self._ask())

    async def change(self) -> None:
        """Wait until something may be different."""
        await self._changed.wait()
        await asyncio.sleep(BURST_S)
        self._changed.clear()

    def look_again(self) -> None:
        """Somebody has come to look: ask the pods now, not at the next time."""
        self._wake.set()

    async def _read_all(self) -> None:
        answers = await asyncio.gather(*(fetch.read(self._kube, item) for item in self._places))
        for place, found in zip(self._places, answers, strict=True):
            if found.refused:
                self._refused[place.place] = found.refused
            else:
                self._refused.pop(place.place, None)
                self._objects[place.place] = dict(found.objects)
        self._changed.set()

    async def _follow(self, place: Wanted) -> None:
        """Note every change of a kind's objects; a refused watch is left to the fresh looks."""
        with contextlib.suppress(ApiError):
            events = self._kube.watch(
                place.api_version,
                place.kind,
                place.namespace or None,
                names_only=place.names_only,
            )
            async with contextlib.aclosing(events):
                async for event, body in events:
                    self._note(place, event, body)

    def _note(self, place: Wanted, event: str, body: Body) -> None:
        known, name = self._objects[place.place], reading.name_of(body)
        if event == "DELETED":
            known.pop(name, None)
        else:
            known[name] = body
        self._changed.set()

    async def _ask(self) -> None:
        """Ask pods while somebody looks, and notice when the cluster goes and comes back."""
        fresh = time.monotonic()
        while True:
            if self._is_wanted():
                was_away = self.away_since is not None
                await self._notice()
                if self.away_since is None:
                    if was_away or time.monotonic() - fresh > AFRESH_S:
                        await self._read_all()
                        fresh = time.monotonic()
                    await self._ask_once()
                self._changed.set()
            rest_s = ASK_EVERY_S if self.away_since is None else AWAY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest_s)
            self._wake.clear()

    async def _notice(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._kube.version()
            self.away_since = None
        except (TimeoutError, VrooliError):
            self.away_since = self.away_since or datetime.now(UTC)

    async def _ask_once(self) -> None:
        pods = fetch.targets(self.seen, self._diagrams)
        sockets, mute = await fetch.ask(self._kube, pods)
        self._seen = Sight(self._seen.namespace, sockets=sockets, mute=mute)
