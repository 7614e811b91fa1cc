"""Standard input and output of a program in a pod, by the messages of its connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from vrooli.errors import VrooliError
from vrooli.kube.execution import CHUNK
from vrooli.kube.session import Session

STDIN, STDOUT, STDERR, ERROR = b"\x00", b"\x01", b"\x02", b"\x03"


class Socket:
    """A connection with prepared messages."""

    def __init__(self, *messages: bytes) -> None:
        self._messages, self.sent = list(messages), list[bytes]()

    async def send_bytes(self, message: bytes) -> None:
        self.sent.append(message)

    async def receive_bytes(self) -> bytes:
        return self._messages.pop(0)


def session(*messages: bytes) -> tuple[Session, Socket]:
    socket: Any = Socket(*messages)
    return Session(socket, "dev/server-0"), socket


def test_lines_are_independent_of_messages() -> None:
    opened, _ = session(STDOUT + b"fir", STDERR + b"noise", STDOUT + b"st\nsecond\nth", STDOUT)
    assert asyncio.run(opened.line()) == "first"
    assert asyncio.run(opened.line()) == "second"


def test_long_input_is_sent_in_parts() -> None:
    opened, socket = session()
    data = b"x" * (CHUNK + 1)
    asyncio.run(opened.send(data))
    assert [len(message) for message in socket.sent] == [CHUNK + 1, 2]
    assert b"".join(message.removeprefix(STDIN) for message in socket.sent) == data


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b'{"status": "Failure", "message": "python3: not found", "details": {}}', "python3: not"),
        (b"internal error of a proxy", "internal error of a proxy"),
        (b'{"status": "Success"}', r"ended\.$"),
    ],
)
def test_the_reason_of_the_kubelet_is_reported(status: bytes, reason: str) -> None:
    opened, _ = session(b"", ERROR + status)
    with pytest.raises(VrooliError, match=reason):
        asyncio.run(opened.line())


def test_the_end_of_the_program_is_an_error_with_its_own_words() -> None:
    opened, _ = session(STDERR + b"Traceback: no space left\n", ERROR + b'{"status": "Failure"}')
    with pytest.raises(VrooliError, match=r"pod dev/server-0 ended\. Traceback: no space left"):
        asyncio.run(opened.line())
