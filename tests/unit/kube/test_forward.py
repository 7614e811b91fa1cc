"""A way into a pod that ends early ends the connection through it, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import kr8s
import pytest
from kr8s.asyncio.objects import Pod

from support.cluster.websockets import Ending, serving
from vrooli.kube import ApiError
from vrooli.kube.forward import Forward

BROKEN = (Ending.RESET, Ending.CLOSED, Ending.EMPTY, Ending.NOBODY_LISTENS)


@pytest.fixture
async def unhandled() -> list[dict[str, Any]]:
    """What the event loop would print: each of it is a line on somebody's terminal."""
    caught: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context))
    return caught


def forward(address: str) -> Forward:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    api = kr8s.asyncio.Api(kubeconfig=config, bypass_factory=True)
    return Forward(Pod({"metadata": {"name": "vault-0", "namespace": "vault"}}, api=api), 8200)


async def ready(way: Forward) -> Forward:
    await way._resource.api.auth
    return way


@pytest.mark.anyio
@pytest.mark.parametrize("ending", BROKEN)
async def test_a_way_that_breaks_off_closes_the_connection_and_prints_nothing(
    ending: Ending, unhandled: list[dict[str, Any]]
) -> None:
    async with serving(ending) as (address, asked):
        way = await ready(forward(address))
        async with asyncio.timeout(60), way as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.read() == b""
            writer.close()
    assert unhandled == []
    assert len(asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("ending", "status"), [(Ending.REFUSED, 403), (Ending.NOT_FOUND, 404)])
async def test_a_way_that_is_refused_is_asked_for_once_and_its_refusal_is_the_error(
    ending: Ending, status: int, unhandled: list[dict[str, Any]]
) -> None:
    async with serving(ending) as (address, asked), asyncio.timeout(60):
        way = await ready(forward(address))
        with pytest.raises(ApiError, match="forward port 8200 of pod vault/vault-0") as raised:
            async with way as port, httpx.AsyncClient(timeout=30) as client:
                await client.get(f"http://127.0.0.1:{port}/v1/sys/health")
    assert raised.value.status == status
    assert raised.value.is_forbidden is (status == 403)
    assert raised.value.exit_code == (3 if status == 403 else 1)
    if status == 403:
        assert "pods/portforward in namespace vault" in raised.value.advice
    assert len(asked) == 1
    assert unhandled == []


@pytest.mark.anyio
async def test_a_refusal_that_its_client_did_not_mind_is_no_error(
    unhandled: list[dict[str, Any]],
) -> None:
    async with serving(Ending.REFUSED) as (address, _), asyncio.timeout(60):
        way = await ready(forward(address))
        async with way as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
    assert unhandled == []


@pytest.mark.anyio
async def test_a_connection_that_is_open_at_the_end_is_closed_with_the_way(
    unhandled: list[dict[str, Any]],
) -> None:
    async with serving(Ending.ECHO) as (address, _), asyncio.timeout(60):
        async with await ready(forward(address)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        assert await reader.read() == b""
        writer.close()
    assert unhandled == []


@pytest.mark.anyio
async def test_a_connection_has_no_port_that_others_could_use(
    unhandled: list[dict[str, Any]],
) -> None:
    async with serving(Ending.ECHO) as (address, _), asyncio.timeout(60):
        way = await ready(forward(address))
        async with way.connection() as (reader, writer):
            assert way.servers == []
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        assert await reader.read() == b""
        assert way._tasks == []
    assert unhandled == []


@pytest.mark.anyio
@pytest.mark.parametrize("ending", [*BROKEN, Ending.REFUSED])
async def test_a_connection_ends_with_the_way_into_the_pod(
    ending: Ending, unhandled: list[dict[str, Any]]
) -> None:
    async with serving(ending) as (address, _), asyncio.timeout(60):
        way = await ready(forward(address))
        async with way.connection() as (reader, writer):
            writer.write(b"hello")
            assert await reader.read() == b""
    assert unhandled == []


@pytest.mark.anyio
async def test_what_was_written_before_the_end_of_a_connection_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow:
        """A web socket of a pod that sends nothing."""

        sent = b""

        async def send_bytes(self, data: bytes) -> None:
            await asyncio.sleep(0.01)
            self.sent += data[1:]

        async def receive_bytes(self) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

    socket = Slow()

    @asynccontextmanager
    async def connect() -> AsyncIterator[Slow]:
        yield socket

    way = forward("http://127.0.0.1:1")
    monkeypatch.setattr(way, "_connect_websocket", connect)
    async with asyncio.timeout(5), way.connection() as (_, writer):
        writer.write(b"x" * 3_000_000)
    assert len(socket.sent) == 3_000_000
