"""The closed link between a host and a cluster, between two network namespaces of the test."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout
from vrooli.cluster.embedded.network import firewall
from vrooli.cluster.embedded.network.inside import SocketsInside

pytestmark = pytest.mark.anyio

HOST, NODE, PORT = "10.99.0.1", "10.99.0.2", 8080
# Two namespaces, joined by a link as the cluster's are.
LINKED = """\
ip link add host0 type veth peer name eth0 netns "$1"
ip address add 10.99.0.1/30 dev host0
ip link set host0 up
ip link set lo up
nsenter --net="/proc/$1/ns/net" ip address add 10.99.0.2/30 dev eth0
nsenter --net="/proc/$1/ns/net" ip link set eth0 up
nsenter --net="/proc/$1/ns/net" ip link set lo up
"""
LISTEN = (
    "import socket; s = socket.create_server(('', 8080)); print('ready', flush=True)\n"
    "while True: s.accept()[0].close()"
)
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 8080), 1)"


def _inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


@pytest.fixture
def linked() -> Iterator[tuple[int, int]]:
    """The processes that hold the namespaces of the host and of the cluster, both listening."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    argv = ["unshare", "--net", "sleep", "600"]
    processes = [subprocess.Popen(argv) for _ in range(2)]
    host, node = (process.pid for process in processes)
    try:
        own = Path("/proc/self/ns/net").readlink()
        while any(Path(f"/proc/{pid}/ns/net").readlink() == own for pid in (host, node)):
            pass
        script = ["sh", "-e", "-c", LINKED, "link", str(node)]
        subprocess.run([*_inside(host), *script], check=True, timeout=60)
        for pid in (host, node):
            listener = subprocess.Popen(
                [*_inside(pid), "python3", "-c", LISTEN], stdout=subprocess.PIPE
            )
            processes.append(listener)
            assert listener.stdout is not None
            with listener.stdout:
                assert listener.stdout.readline()
        yield host, node
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _connects(pid: int, address: str) -> bool:
    argv = [*_inside(pid), "python3", "-c", CONNECT, address]
    return not subprocess.run(argv, check=False, stderr=subprocess.DEVNULL, timeout=60).returncode


async def test_no_connection_crosses_a_closed_link_but_the_forwarders_begin_inside(
    linked: tuple[int, int], tmp_path: Path
) -> None:
    host, node = linked
    place = layout(tmp_path)
    place.run.mkdir(parents=True)
    place.netns.symlink_to(f"/proc/{node}/ns/net")
    assert _connects(host, NODE)
    assert _connects(node, HOST)
    await firewall.close_link(place)
    assert not _connects(host, NODE)
    assert not _connects(node, HOST)
    sockets = SocketsInside(place.netns)
    connection = await sockets.create()
    connection.setblocking(False)
    with connection:
        async with asyncio.timeout(60):
            await asyncio.get_running_loop().sock_connect(connection, (NODE, PORT))
    sockets.close()


async def test_a_namespace_that_is_gone_is_an_error_of_the_connection(tmp_path: Path) -> None:
    sockets = SocketsInside(tmp_path / "none")
    for _ in range(2):
        with pytest.raises(OSError, match="namespace"):
            await sockets.create()
    sockets.close()
