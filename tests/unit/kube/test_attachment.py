"""Programs in containers that are connected to a terminal or to pipes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.errors import VrooliError
from vrooli.kube.api_errors import ApiError
from vrooli.kube.execution import Completed, Program

pytestmark = pytest.mark.anyio
PLACE = ("dev", "server-1", "server")


class Recorder:
    """Streams with a fixed input, which record everything else."""

    def __init__(self, *inputs: bytes, is_terminal: bool = False, has_input: bool = True) -> None:
        self.is_terminal, self.has_input = is_terminal, has_input
        self.written: list[tuple[bytes, bool]] = []
        self.events: list[str] = []
        self._inputs = list(inputs)
        self._sizes = [(80, 24), (100, 40)]

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        self.events.append("raw")
        try:
            yield
        finally:
            self.events.append("restored")

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self._inputs.pop(0) if self._inputs else b""

    def write(self, data: bytes, *, is_error: bool) -> None:
        self.written.append((data, is_error))

    def size(self) -> tuple[int, int]:
        return self._sizes.pop(0)

    async def resized(self) -> None:
        if not self._sizes:
            await asyncio.Event().wait()


def cluster_with(completed: Completed) -> FakeCluster:
    cluster = FakeCluster(namespace="dev")
    cluster.server.programs.handlers[PLACE] = lambda program: completed
    return cluster


def program(stdin: bytes = b"") -> Program:
    return Program(*PLACE, ["cat"], stdin)


async def test_pipes_are_passed_on_and_the_exit_code_is_returned() -> None:
    cluster = cluster_with(Completed(7, "out", "err"))
    streams = Recorder(b"one ", b"two")
    assert await cluster.attach_program(program(), streams) == 7
    assert streams.written == [(b"out", False), (b"err", True)]
    assert cluster.server.programs.ran[0].stdin == b"one two"
    assert cluster.server.programs.terminals == [[]]


async def test_a_terminal_gets_each_size_and_is_restored() -> None:
    cluster = cluster_with(Completed(0, "out", ""))
    streams = Recorder(b"exit\n", is_terminal=True)
    assert await cluster.attach_program(program(), streams) == 0
    sizes = [{"Width": 80, "Height": 24}, {"Width": 100, "Height": 40}]
    assert cluster.server.programs.terminals == [sizes]
    assert streams.events == ["raw", "restored"]


async def test_the_input_of_the_program_itself_is_sent_without_reading_the_streams() -> None:
    cluster = cluster_with(Completed(0, "", ""))
    streams = Recorder(b"not sent", has_input=False)
    assert await cluster.attach_program(program(b"SELECT 1"), streams) == 0
    assert cluster.server.programs.ran[0].stdin == b"SELECT 1"


async def test_an_input_that_the_server_cannot_end_is_an_error() -> None:
    cluster = cluster_with(Completed(0, "", ""))
    cluster.server.programs.protocol = "v4.channel.k8s.io"
    cluster.server.programs.is_endless = True
    streams = Recorder(b"one")
    with pytest.raises(VrooliError, match="cannot end the input"):
        await cluster.attach_program(program(), streams)
    assert streams.events == ["raw", "restored"]


async def test_a_refused_connection_leaves_the_terminal_as_it_is() -> None:
    cluster = cluster_with(Completed(0, "", ""))
    cluster.server.programs.refusal = 403
    streams = Recorder(is_terminal=True)
    with pytest.raises(ApiError, match="403") as raised:
        await cluster.attach_program(program(), streams)
    assert "kubectl auth can-i create pods --subresource=exec -n dev" in raised.value.advice
    assert not streams.events
