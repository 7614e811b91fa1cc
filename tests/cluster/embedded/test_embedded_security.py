"""What users of the machine and pods cannot do to an embedded cluster."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from support.cluster import workload
from support.cluster.clusters import Maker
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import INSIDE, HostLink, Record
from vrooli.errors import CommandError, VrooliError
from vrooli.kube import Kube
from vrooli.process import run

pytestmark = [pytest.mark.anyio, pytest.mark.root]

CONNECT = "use IO::Socket::INET; exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 2)"
# The API server, the kubelet, kube-proxy's health and the ports of the Ingress.
NODE_PORTS = [*INSIDE.values(), 10250, 10256]
# Sends a request without TLS, and prints the beginning of the response.
PLAIN = (
    "use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die; "
    "print $s qq(GET /version HTTP/1.0\\r\\n\\r\\n); $s->flush; read $s, my $r, 200; print $r"
)
# The API server writes its audit log in batches, within 30 s.
AUDITED_S = 120.0


@pytest.fixture(scope="module")
def layout(maker: Maker, shared: EmbeddedCluster) -> Layout:
    """The files of the running cluster."""
    return maker.layout(shared.name)


@pytest.fixture(scope="module")
def link(layout: Layout) -> HostLink:
    """The link between the host and the cluster."""
    record = Record.read(layout.record)
    assert record is not None
    return record.host_link


@pytest.fixture(scope="module")
async def kube(shared: EmbeddedCluster) -> AsyncIterator[Kube]:
    """A client, with a pod that can connect."""
    async with await Kube.connect(shared.kubeconfig) as kube:
        await workload.run_pod(kube, workload.pod("caller"))
        yield kube
        await kube.delete("v1", "Pod", "caller", "default")


def _host_addresses() -> list[str]:
    """The address of the default route's interface, which pods could reach through the link."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:  # the host has no route
            return []
        return [probe.getsockname()[0]]


async def _connects(kube: Kube, address: str) -> bool:
    try:
        await kube.exec("default", "caller", ["perl", "-e", CONNECT, address])
    except VrooliError:
        return False
    return True


async def test_a_pod_reaches_no_listener_of_the_host(kube: Kube, link: HostLink) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0") as server:  # noqa: S104 - what a developer's server does
        port = server.sockets[0].getsockname()[1]
        for host in (link.host_ip, *_host_addresses()):
            socket.create_connection((host, port), 2).close()  # it listens there
            assert not await _connects(kube, f"{host}:{port}")
    assert await _connects(kube, f"{link.node_ip}:{INSIDE['api']}")  # it can connect


@pytest.mark.parametrize("port", NODE_PORTS)
async def test_a_user_of_the_host_reaches_nothing_over_the_link(link: HostLink, port: int) -> None:
    with pytest.raises(OSError, match=r"timed out|refused"):
        socket.create_connection((link.node_ip, port), 1)


async def test_the_api_server_answers_nobody_without_credentials(shared: EmbeddedCluster) -> None:
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:  # noqa: S501 - its own, on loopback
        for path in ("/version", "/healthz", "/api"):
            response = await client.get(f"{shared.urls()['api']}{path}")
            assert response.status_code == httpx.codes.UNAUTHORIZED, path


async def test_the_port_of_etcds_members_speaks_tls_only(shared: EmbeddedCluster) -> None:
    parts = (await shared.status()).components
    (pid,) = (part.pid for part in parts if part.name == "etcd")
    inside = ["nsenter", "--net", f"--target={pid}", "perl", "-e", PLAIN]
    for port in (2379, 2380):
        try:
            answer = (await run([*inside, f"127.0.0.1:{port}"], timeout_s=10)).output
        except CommandError:  # the connection was reset
            continue
        assert "200" not in answer.partition("\n")[0], port


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
async def test_secrets_and_config_maps_are_encrypted_on_the_disk_and_their_use_is_audited(
    kube: Kube, layout: Layout, kind: str
) -> None:
    """The ConfigMap is like that of the Redis operator, which holds the password."""
    value = secrets.token_hex(16)
    name = f"rfr-{value[:6]}"
    manifest = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name},
        "stringData" if kind == "Secret" else "data": {"redis.conf": f"requirepass {value}\n"},
    }
    await kube.apply(manifest, namespace="default")
    stored = b"".join(path.read_bytes() for path in layout.etcd.rglob("*") if path.is_file())
    key = f"/registry/{kind.lower()}s/default/{name}".encode()
    assert key in stored
    assert b"k8s:enc:secretbox:v1:local" in stored
    assert value.encode() not in stored
    assert base64.b64encode(value.encode()) not in stored
    await kube.delete("v1", kind, name, "default")
    entry = await _audited(layout.logs / "audit.log", name)
    assert entry["user"]["username"] == "vrooli-admin"
    assert "requestObject" not in entry
    assert value not in (layout.logs / "audit.log").read_text()


async def _audited(log: Path, name: str) -> dict[str, dict[str, str]]:
    async with asyncio.timeout(AUDITED_S):
        while True:
            for line in log.read_text().splitlines():
                if f'"{name}"' in line:
                    return dict(json.loads(line))
            await asyncio.sleep(1)
