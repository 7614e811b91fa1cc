"""Objects that are kept up to date by lists and watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from vrooli.kube import ApiError
from vrooli.kube.fetch import Query, fetch_snapshot
from vrooli.kube.objects import Body
from vrooli.kube.unavailable import Unavailable
from vrooli.kube.watcher import Watcher

PODS = Query("v1", "Pod", "dev")
SECRETS = Query("v1", "Secret", "dev", names_only=True)
pytestmark = pytest.mark.anyio


def body(name: str, kind: str = "Pod") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "dev"}}


class Watches:
    """A client whose watches yield these changes and then wait for ever."""

    def __init__(self, *changes: tuple[str, Body], error: ApiError | None = None) -> None:
        self.changes, self.error = changes, error

    async def watch(self, *_: object, **__: object) -> AsyncIterator[tuple[str, Body]]:
        """Yield each change."""
        for change in self.changes:
            yield change
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


class Lists:
    """Lists what it holds, as often as it is asked."""

    def __init__(self, **objects: Sequence[Body] | Unavailable) -> None:
        self.objects = objects

    async def __call__(self, query: Query) -> Sequence[Body] | Unavailable:
        """The objects of a kind."""
        return self.objects[query.kind]


def watcher(lists: Lists, watches: Watches, *, tolerates: bool = False) -> Watcher:
    return Watcher(watches, "dev", lists, lambda *_: tolerates)  # type: ignore[arg-type]


def names(watcher: Watcher, kind: str = "Pod") -> list[str]:
    return [item["metadata"]["name"] for item in watcher.snapshot.all(kind)]


async def test_snapshot_has_what_was_listed_and_what_could_not_be() -> None:
    refused = Unavailable("Secret in dev", "permission denied", place=SECRETS.place)
    lists = Lists(Pod=[body("a")], Secret=refused)
    snapshot = await fetch_snapshot("dev", [PODS, SECRETS], lists)
    assert snapshot.find("Pod", "a") is not None
    assert snapshot.places == {("Pod", "dev")}
    assert snapshot.list_error("Secret") == "permission denied"
    assert snapshot.list_error("Pod") == ""


async def test_objects_have_the_kind_of_their_query() -> None:
    lists = Lists(Secret=[body("a", "PartialObjectMetadata")])
    snapshot = await fetch_snapshot("dev", [SECRETS], lists)
    assert snapshot.find("Secret", "a") is not None


async def test_watch_adds_and_removes_objects() -> None:
    watching = watcher(
        Lists(Pod=[body("a")]), Watches(("ADDED", body("b")), ("DELETED", body("a")))
    )
    await watching.refresh([PODS])
    assert names(watching) == ["a"]
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        watching.watch(group, [PODS])
        while names(watching) != ["b"]:
            watching.changed.clear()
            await watching.changed.wait()
        watching.stop()


async def test_refresh_removes_what_a_watch_missed() -> None:
    lists = Lists(Pod=[body("a"), body("b")])
    watching = watcher(lists, Watches())
    await watching.refresh([PODS])
    lists.objects["Pod"] = [body("b")]
    await watching.refresh([PODS])
    assert names(watching) == ["b"]


async def test_list_that_is_older_than_a_watch_does_not_undo_its_change() -> None:
    class Late(Lists):
        async def __call__(self, query: Query) -> Sequence[Body] | Unavailable:
            await asyncio.sleep(0.01)
            return await super().__call__(query)

    watching = watcher(Late(Pod=[body("a")]), Watches(("DELETED", body("a")), ("ADDED", body("b"))))
    async with asyncio.TaskGroup() as group:
        watching.watch(group, [PODS])
        await watching.refresh([PODS])
        watching.stop()
    assert names(watching) == ["b"]


async def test_what_can_not_be_listed_any_more_is_kept_as_it_was() -> None:
    lists = Lists(Pod=[body("a")])
    watching = watcher(lists, Watches())
    await watching.refresh([PODS])
    lists.objects["Pod"] = Unavailable("Pod in dev", "no answer", place=PODS.place)
    await watching.refresh([PODS])
    assert names(watching) == ["a"]
    assert watching.snapshot.list_error("Pod") == "no answer"


@pytest.mark.parametrize("tolerates", [True, False])
async def test_refused_watch_ends_the_others_unless_it_is_tolerated(tolerates: bool) -> None:
    error = ApiError("watch Pod", 403, "forbidden")
    watching = watcher(Lists(Pod=[]), Watches(error=error), tolerates=tolerates)

    async def follow() -> None:
        async with asyncio.TaskGroup() as group:
            watching.watch(group, [PODS])

    if tolerates:
        await follow()
    else:
        with pytest.raises(ExceptionGroup):
            await follow()
