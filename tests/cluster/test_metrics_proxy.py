"""The proxy of metrics asks a real API server who calls and what the caller may read."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from support.cluster.accounts import GROUP
from support.programs.ports import free_port
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube

NAMESPACE, READER, STRANGER = "metrics-proxy", "reader", "stranger"
STARTED_S = 60.0


class Metrics(BaseHTTPRequestHandler):
    """Answers with the token that it got."""

    def do_GET(self) -> None:
        content = f"token {self.headers.get('Authorization')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is logged."""


async def until_served(address: str, process: Process) -> None:
    """Wait until the proxy answers."""
    async with asyncio.timeout(STARTED_S):
        while True:
            assert process.returncode is None
            try:
                await read(address, "/metrics", "")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


async def read(address: str, path: str, token: str) -> httpx.Response:
    """The response to a reader; its certificate is signed by nobody."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(verify=False, timeout=30) as client:  # noqa: S501
        return await client.get(address + path, headers=headers)


async def token_of(kube: Kube, account: str) -> str:
    """A token of an account, which is created."""
    metadata = {"name": account, "namespace": NAMESPACE}
    await kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    return await kube.service_account_token(NAMESPACE, account, 600)


@pytest.fixture
async def reader(bare_kube: Kube) -> str:
    """The token of an account that may read /metrics."""
    await bare_kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    )
    rule = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
    role = {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": {"name": NAMESPACE}}
    await bare_kube.apply({**role, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": READER, "namespace": NAMESPACE}
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": NAMESPACE}
    binding = {**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]}
    await bare_kube.apply(binding)
    return await token_of(bare_kube, READER)


@pytest.fixture
def upstream() -> Iterator[str]:
    """The address of metrics that anybody may read."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def proxy(upstream: str, bare_kubeconfig: Path) -> AsyncIterator[str]:
    """The address of the proxy before it."""
    found = await programs.ensure(["metrics-proxy"], Progress())
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(found["metrics-proxy"], f"--secure-listen-address=127.0.0.1:{port}"),
        *(f"--upstream={upstream}", f"--kubeconfig={bare_kubeconfig}"),
        *("--logtostderr=true", "--v=0"),
    )
    try:
        address = f"https://127.0.0.1:{port}"
        await until_served(address, process)
        yield address
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_only_accounts_with_the_right_read_and_no_token_is_passed_on(
    proxy: str, reader: str, bare_kube: Kube
) -> None:
    stranger = await token_of(bare_kube, STRANGER)
    allowed = await read(proxy, "/metrics", reader)
    assert (allowed.status_code, allowed.text) == (httpx.codes.OK, "token None")
    statuses = [
        (await read(proxy, path, token)).status_code
        for path, token in (
            ("/metrics", ""),
            ("/metrics", "of-nobody"),
            ("/metrics", stranger),
            ("/debug", reader),
            ("/metrics/../debug", reader),
        )
    ]
    unauthorized, forbidden = httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN
    assert statuses == [unauthorized, unauthorized, forbidden, forbidden, forbidden]
