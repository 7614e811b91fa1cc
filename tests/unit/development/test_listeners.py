"""A port that another user of this machine has taken is not used."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from vrooli.development import listeners
from vrooli.development.listeners import LOOPBACK

# From /proc/net/tcp: a listener of the user 1000, a connection to it, another listener of root, and
# two of root on the same port of other addresses.
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:14D1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 61 1
   1: 0100007F:14D1 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 62 1
   2: 0100007F:14D2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 63 1
   3: 0200007F:14D1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 64 1
   4: 00000000:14D1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 65 1
"""


def test_the_users_who_listen_are_read() -> None:
    assert list(listeners.parse(TABLE, 0x14D1)) == [1000]
    assert list(listeners.parse(TABLE, 0x14D2)) == [0]
    assert list(listeners.parse(TABLE, 0x4D1)) == []


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
async def test_only_a_listener_of_this_user_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await listeners.connect(port)
        writer.close()
        user = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: user + 1)
        with pytest.raises(ConnectionRefusedError, match="another user"):
            await listeners.connect(port)
