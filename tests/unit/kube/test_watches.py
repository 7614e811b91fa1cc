"""What a watch reports, over interruptions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import kr8s
import pytest

from vrooli.errors import WaitTimeoutError
from vrooli.kube import watches
from vrooli.kube.api_errors import ApiError
from vrooli.kube.known import Known
from vrooli.kube.watches import Watching

Body = dict[str, Any]
KINDS = {"resources": [{"kind": "Pod", "name": "pods", "namespaced": True}]}
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}


def pod(name: str, version: int = 1, uid: str = "") -> Body:
    metadata = {"name": name, "namespace": "dev", "uid": uid or name}
    return {"kind": "Pod", "metadata": {**metadata, "resourceVersion": str(version)}}


def event(change: str, body: Body) -> Body:
    return {"type": change, "object": body}


def listed(*pods: Body, version: int = 10) -> Body:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(pods)}


class Stream:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for line in self._lines:
            yield f"{line}\n".encode()


class Server:
    """Answers lists and watches in this order; records the versions that watches name.

    A watch is a list of its events, or of lines as text; an exception is raised.
    """

    def __init__(self, *answers: Body | list[Any] | Exception) -> None:
        self._answers = iter(answers)
        self.versions: list[str] = []
        self.selectors: list[str] = []

    @asynccontextmanager
    async def call_api(self, method: str, **settings: Any) -> AsyncIterator[Any]:
        assert method == "GET"
        params = settings.get("params", {})
        if "url" not in settings:
            yield httpx.Response(200, json=KINDS)
            return
        self.selectors.append(params.get("fieldSelector", ""))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        if params.get("watch"):
            assert isinstance(answer, list)
            self.versions.append(params["resourceVersion"])
            yield Stream([item if isinstance(item, str) else json.dumps(item) for item in answer])
        else:
            yield httpx.Response(200, json=answer)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "PAUSE_S", 0)


def client(server: Server) -> Watching:
    return Watching(server)  # type: ignore[arg-type]


async def reported(server: Server, count: int, known: Sequence[Body] = ()) -> list[str]:
    """The first changes that a watch reports."""
    result = []
    async with aclosing(client(server).watch("v1", "Pod", "dev", known=known)) as events:
        async for change, body in events:
            result.append(f"{change} {body['metadata']['name']}")
            if len(result) == count:
                return result
    raise AssertionError("a watch has no end")


async def test_the_objects_come_first_and_then_their_changes() -> None:
    server = Server(
        listed(pod("a"), pod("b")), [event("MODIFIED", pod("a", 11)), event("DELETED", pod("b"))]
    )
    changes = await reported(server, 4)
    assert changes == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"]
    assert server.versions == ["10"]


async def test_a_closed_watch_continues_from_its_last_version() -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "30"}})
    server = Server(
        listed(pod("a")),
        [event("MODIFIED", pod("a", 11))],
        [bookmark],
        [event("MODIFIED", pod("a", 31))],
    )
    assert await reported(server, 3) == ["ADDED a", "MODIFIED a", "MODIFIED a"]
    assert server.versions == ["10", "11", "30"]


@pytest.mark.parametrize(
    "interruption",
    [
        httpx.ReadError("cut"),
        kr8s.ServerError("starts", response=httpx.Response(503)),
        kr8s.ServerError("too old", response=httpx.Response(410)),
        [GONE],
        ['{"type": "ADDED", "obj'],
    ],
    ids=["cut", "503", "410", "error event", "half a line"],
)
async def test_what_was_deleted_in_an_interruption_is_reported(
    interruption: Exception | list[Any],
) -> None:
    server = Server(
        listed(pod("a"), pod("b"), pod("c")),
        interruption,
        listed(pod("a"), pod("b", 12), pod("c", 13, uid="another"), version=20),
        [event("ADDED", pod("d", 21))],
    )
    changes = await reported(server, 7)
    assert changes[3:] == ["DELETED c", "MODIFIED b", "ADDED c", "ADDED d"]
    assert server.versions[-1] == "20"


async def test_a_busy_server_is_not_asked_for_another_list() -> None:
    busy = kr8s.ServerError("busy", response=httpx.Response(429))
    server = Server(listed(pod("a")), busy, busy, [event("MODIFIED", pod("a", 11))])
    assert await reported(server, 2) == ["ADDED a", "MODIFIED a"]
    assert server.versions == ["10"]


async def test_a_refused_watch_is_an_error() -> None:
    server = Server(listed(), kr8s.ServerError("no", response=httpx.Response(403)))
    with pytest.raises(ApiError) as caught:
        await reported(server, 1)
    assert caught.value.is_forbidden


async def test_of_known_objects_only_changes_are_reported() -> None:
    known = [pod("a"), pod("b"), pod("c")]
    server = Server(listed(pod("a"), pod("b", 5)), [event("ADDED", pod("d", 11))])
    assert await reported(server, 3, known) == ["DELETED c", "MODIFIED b", "ADDED d"]


async def test_a_deletion_between_the_read_and_the_watch_ends_a_wait() -> None:
    server = Server(pod("a"), listed())
    waited = await client(server).wait_for(
        "v1", "Pod", "a", "dev", lambda body: "exists" if body else None, 5
    )
    assert waited["metadata"]["name"] == "a"
    assert server.selectors[-1] == "metadata.name=a"


async def test_a_wait_without_success_names_the_last_reason() -> None:
    endless = [event("MODIFIED", pod("a", number)) for number in range(11, 5000)]
    server = Server(pod("a"), listed(pod("a")), *([endless] * 5000))
    with pytest.raises(WaitTimeoutError, match=r"Pod a is not ready after . s: exists"):
        await client(server).wait_for(
            "v1", "Pod", "a", "dev", lambda body: "exists" if body else None, 0.05
        )


def test_objects_without_a_uid_are_compared_by_name() -> None:
    known = Known([{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}])
    changes = known.replace([{"metadata": {"name": "a"}}], "2")
    assert [change for change, _ in changes] == ["DELETED", "MODIFIED"]
