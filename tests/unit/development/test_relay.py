"""Requests to a pod reach the service on the host, through the relay in the pod."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.programs.ports import free_port
from vrooli.development import tunnels
from vrooli.development.listeners import LOOPBACK
from vrooli.development.pod_programs import relay
from vrooli.development.tunnels import Place

PROGRAM = Path(relay.__file__)


def free_ports(count: int) -> list[int]:
    ports = set[int]()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


class Forwarding:
    """The Kubernetes API: a port of a pod is a port of this host."""

    async def port_forward(self, namespace: str, pod: str, port: int) -> Any:
        @asynccontextmanager
        async def connection() -> AsyncIterator[Any]:
            ends = await asyncio.open_connection(LOOPBACK, port)
            try:
                yield ends
            finally:
                ends[1].close()

        return SimpleNamespace(connection=connection)


@asynccontextmanager
async def echo_service() -> AsyncIterator[int]:
    """A service on the host that answers each line with itself."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            writer.write(b"host: " + line)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def relay_program(pod_port: int, host_port: int) -> AsyncIterator[None]:
    """The program of the pod, as a process."""
    words = [sys.executable, str(PROGRAM), str(pod_port), str(host_port)]
    process = await asyncio.create_subprocess_exec(*words)
    try:
        await until_open(host_port)
        yield
    finally:
        process.kill()
        await process.wait()


async def until_open(port: int, *, is_open: bool = True) -> None:
    async with asyncio.timeout(60):
        while await is_accepting(port) != is_open:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


async def is_accepting(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("localhost", port)
    except OSError:
        return False
    writer.close()
    return True


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def ask(port: int, text: str) -> str:
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(f"{text}\n".encode())
    answer = await reader.readline()
    writer.close()
    return answer.decode().strip()


async def test_each_client_of_the_pod_reaches_the_service_on_the_host() -> None:
    pod_port, host_port = free_ports(2)
    async with relay_program(pod_port, host_port), echo_service() as service:
        work = tunnels.serve_clients(cast(Any, Forwarding()), Place("dev", "p", host_port), service)
        task = asyncio.create_task(work)
        await until_open(pod_port)
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(ask(pod_port, str(number)) for number in range(20)))
        assert answers == [f"host: {number}" for number in range(20)]
        await end(task)
        # Without the host, the pod refuses its clients, so its probes fail.
        await until_open(pod_port, is_open=False)


async def test_clients_beyond_the_limit_wait_for_the_end_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tunnels, "MOST", 2)
    pod_port, host_port = free_ports(2)
    async with relay_program(pod_port, host_port), echo_service() as service:
        work = tunnels.serve_clients(cast(Any, Forwarding()), Place("dev", "p", host_port), service)
        task = asyncio.create_task(work)
        await until_open(pod_port)
        clients = [await asyncio.open_connection("localhost", pod_port) for _ in range(2)]
        async with asyncio.timeout(60):
            for reader, writer in clients:
                writer.write(b"one\n")
                assert await reader.readline() == b"host: one\n"
            third = asyncio.create_task(ask(pod_port, "three"))
            await asyncio.sleep(0.3)
            assert not third.done()
            clients[0][1].close()
            assert await third == "host: three"
        clients[1][1].close()
        await end(task)


async def test_a_client_waits_while_the_service_starts_again() -> None:
    pod_port, host_port, service_port = free_ports(3)
    async with relay_program(pod_port, host_port):
        place = Place("dev", "p", host_port)
        work = tunnels.serve_clients(cast(Any, Forwarding()), place, service_port)
        task = asyncio.create_task(work)
        await until_open(pod_port)
        asking = asyncio.create_task(ask(pod_port, "one"))
        await asyncio.sleep(0.2)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"started: " + await reader.readline())
            writer.close()

        async with await asyncio.start_server(answer, LOOPBACK, service_port):
            async with asyncio.timeout(60):
                assert await asking == "started: one"
        await end(task)


async def test_a_tunnel_reaches_the_pod_that_is_right_when_a_client_connects() -> None:
    async with echo_service() as first, echo_service() as second:
        current = first

        async def find() -> Place | None:
            return Place("dev", "p", current) if current else None

        tunnel = tunnels.Tunnel(cast(Any, Forwarding()), find)
        async with tunnel.listening() as port:
            assert await ask(port, "one") == "host: one"
            current = second
            assert await ask(port, "two") == "host: two"
            assert len(tunnel._forwards) == 2
            current = 0
            with contextlib.suppress(ConnectionResetError):
                assert await ask(port, "three") == ""


@pytest.mark.parametrize(
    ("target", "expected"), [("pgbouncer", 6432), (6432, 6432), ("other", None)]
)
async def test_a_port_of_a_service_is_that_of_a_ready_pod(
    target: str | int, expected: int | None
) -> None:
    pods = [
        {
            "metadata": {"name": name},
            "spec": {"containers": [{"ports": [{"name": "pgbouncer", "containerPort": 6432}]}]},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        }
        for name, status in (("starting", "False"), ("ready", "True"))
    ]
    spec = {"selector": {"role": "pool"}, "ports": [{"port": 5432, "targetPort": target}]}

    async def get(*_: str) -> dict[str, Any]:
        return {"spec": spec}

    async def list_(*words: str) -> list[dict[str, Any]]:
        assert words[-1] == "role=pool"
        return pods

    kube = cast(Any, SimpleNamespace(get=get, list=list_))
    place = await tunnels.find_behind(kube, "dev", "pool", 5432)
    assert place == (Place("dev", "ready", expected) if expected else None)
