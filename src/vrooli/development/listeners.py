"""Whose program listens on a port of this host.

While a service starts again, its port is free, and any user of this machine may take it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LOOPBACK = "127.0.0.1"
TABLE = Path("/proc/net/tcp")
# Columns of a line: its number, the local address, the remote one, the state, three counters, the
# user. Source: proc_net_tcp.txt of Linux.
ADDRESS, STATE, USER, LISTENING = 1, 3, 7, "0A"


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a port of the loopback interface on which this user listens.

    Raises:
        ConnectionRefusedError: Nobody listens, or, on Linux, another user does.
        OSError: It cannot be reached.
    """
    ends = await asyncio.open_connection(LOOPBACK, port)
    # After the connection: what is sent from now on reaches whoever has accepted it.
    if sys.platform == "linux" and os.geteuid() not in parse(TABLE.read_text(), port):
        ends[1].close()
        raise ConnectionRefusedError(f"another user listens on port {port}")
    return ends


def parse(table: str, port: int) -> Iterator[int]:
    """The users whose programs listen on a port of the loopback address, by the kernel's table."""
    # The kernel prints the address as a number of this machine.
    number = int.from_bytes(socket.inet_aton(LOOPBACK), sys.byteorder)
    address = f"{number:08X}:{port:04X}"
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[STATE] == LISTENING and fields[ADDRESS] == address:
            yield int(fields[USER])
