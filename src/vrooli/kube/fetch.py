"""Reads that tolerate refusals: what could not be read is part of the result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TypeVar

import httpx

from vrooli.errors import VrooliError
from vrooli.kube import events as kube_events
from vrooli.kube.objects import MALFORMED_ERRORS, Body, Ref, ref_of
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Cause, Unavailable

T = TypeVar("T")
EVENT = "Event"
# How long one read may take unless its caller says otherwise, seconds.
READ_S = 6.0


@dataclass(frozen=True)
class Query:
    """The objects of one kind.

    Attributes:
        api_version: The kind's version.
        kind: The kind.
        namespace: Their namespace; empty for all, and for objects that belong to none.
        labels: A label selector; None takes all.
        fields: A field selector; None takes all.
        names_only: Whether only their metadata is read.
    """

    api_version: str
    kind: str
    namespace: str = ""
    _: KW_ONLY
    labels: str | None = None
    fields: str | None = None
    names_only: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """The kind and its namespace."""
        return self.kind, self.namespace


# Lists the objects of a query, or says why it cannot.
Lister = Callable[[Query], Awaitable[Sequence[Body] | Unavailable]]
# The objects of each query, by their references.
Objects = Mapping[Query, Mapping[Ref, Body]]


async def fetch_snapshot(namespace: str, queries: Iterable[Query], fetch: Lister) -> Snapshot:
    """The objects of all queries as they are now, each listed once and all at once.

    Raises:
        VrooliError: What the lister raised.
    """
    objects: dict[Query, Mapping[Ref, Body]] = {}
    unavailable: list[Unavailable] = []
    for query, result in (await fetch_lists(queries, fetch)).items():
        if isinstance(result, Unavailable):
            unavailable.append(result)
        else:
            objects[query] = index(query, result)
    return merge(namespace, objects, unavailable)


async def fetch_lists(
    queries: Iterable[Query], fetch: Lister
) -> dict[Query, Sequence[Body] | Unavailable]:
    """What the lister gives for each query, asked all at once.

    Raises:
        VrooliError: What the lister raised.
    """
    listed = list(dict.fromkeys(queries))
    results = await asyncio.gather(*map(fetch, listed))
    return dict(zip(listed, results, strict=True))


def index(query: Query, bodies: Iterable[Body]) -> dict[Ref, Body]:
    """The objects of a query by reference, with the query's kind.

    Objects of which only the metadata is read carry a kind of their own.
    """
    return {key_of(query, body): body for body in bodies}


def key_of(query: Query, body: Body) -> Ref:
    """The reference of an object of a query."""
    ref = ref_of(body)
    return Ref(query.kind, ref.name, ref.namespace)


def merge(namespace: str, objects: Objects, unavailable: Sequence[Unavailable]) -> Snapshot:
    """The snapshot of some queries' objects; what several of them found is in it once."""
    by_kind: dict[str, dict[Ref, Body]] = {}
    for query, bodies in objects.items():
        by_kind.setdefault(query.kind, {}).update(bodies)
    return Snapshot(
        namespace=namespace,
        objects={kind: list(bodies.values()) for kind, bodies in by_kind.items()},
        events=kube_events.parse_events(by_kind.get(EVENT, {}).values()),
        unavailable=unavailable,
        places=frozenset(query.place for query in objects),
    )


@dataclass
class Fetcher:
    """Reads of which one that fails does not stop the others.

    Attributes:
        unavailable: What could not be read so far.
    """

    unavailable: list[Unavailable] = field(default_factory=list)

    async def fetch(
        self,
        what: str,
        request: Callable[[], Awaitable[T]],
        default: T,
        limit_s: float | None = READ_S,
        *,
        place: tuple[str, str] = ("", ""),
    ) -> T:
        """What a request gives, or ``default``; why it failed is recorded.

        Args:
            what: What is read, in words.
            request: Reads it. A function and not a coroutine, which a cancellation before the
                first step would leave without anyone who awaits it.
            default: What is returned if it fails.
            limit_s: How long it may take, seconds; None if it has a limit of its own.
            place: What `unavailable` refers to it by.
        """
        try:
            async with asyncio.timeout(limit_s):
                return await request()
        except TimeoutError:
            why = f"no answer within {limit_s:.0f} s" if limit_s is not None else "no answer"
            missing = Unavailable(what, why, cause=Cause.TIMEOUT, place=place)
        except VrooliError as error:
            missing = Unavailable.of(what, error, place)
        except MALFORMED_ERRORS as error:
            why = f"the answer can't be read ({type(error).__name__}: {error})"
            missing = Unavailable(what, why, place=place)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            missing = Unavailable(what, f"{type(error).__name__}: {error}", place=place)
        self.unavailable.append(missing)
        return default
