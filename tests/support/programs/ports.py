"""Ports for the servers that tests start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

# The first of those that the system gives connections: one that is free now may be one's soon.
CONFIRMED = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 10_000


def free_port() -> int:
    """A loopback port that nothing uses, and that nothing but a server will."""
    ports = range(FIRST, int(CONFIRMED.read_text().split()[0]))
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("every port is taken")
