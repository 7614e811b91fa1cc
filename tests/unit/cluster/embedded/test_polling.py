"""Whether a program of the cluster listens."""

from __future__ import annotations

import socket
from pathlib import Path

from vrooli.cluster.embedded.polling import accepts_connections


async def test_the_socket_file_of_a_killed_program_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    assert not await accepts_connections(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert await accepts_connections(path)
    assert path.is_socket()
    assert not await accepts_connections(path)
