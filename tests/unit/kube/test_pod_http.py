"""Requests to pods reach no other host, and read no more than a limit."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import pytest

from vrooli.diagnosis.bundle import extras
from vrooli.diagnosis.bundle.metrics import MetricsEndpoint
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.errors import VrooliError
from vrooli.kube import Kube, pod_http
from vrooli.kube.fetch import Fetcher
from vrooli.kube.objects import Ref

pytestmark = pytest.mark.anyio
POD = Ref("Pod", "web-0", "dev")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nup\n"


class Pod:
    """A pod whose port is one of this machine, and the requests that it received."""

    def __init__(self, response: bytes) -> None:
        self.response = response
        self.requests: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Kube]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.response)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield cast(Kube, self)

    async def port_forward(self, namespace: str, name: str, port: int) -> Any:
        assert (namespace, name) == ("dev", "web-0")

        @asynccontextmanager
        async def forward() -> AsyncIterator[int]:
            yield self.port

        return forward()


async def _get(kube: Kube, path: str, **options: Any) -> pod_http.PodAnswer:
    return await pod_http.get(kube, POD, 9090, path, limit_s=5, **options)


@pytest.mark.parametrize("path", ["@127.0.0.1:{other}/x", "", "x", ".evil/x", "/a b", "/a\r\nb"])
async def test_what_is_no_path_is_not_requested(path: str) -> None:
    mine, other = Pod(OK), Pod(OK)
    async with mine.serve() as kube, other.serve():
        with pytest.raises(VrooliError, match="is not a path") as raised:
            await _get(kube, path.format(other=other.port))
    assert (mine.requests, other.requests) == ([], [])
    assert raised.value.message.isprintable()


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/metrics", "/metrics"),
        ("/probe?target=a%20b&x=[1]", "/probe?target=a%20b&x=[1]"),
        ("//other.example/x", "//other.example/x"),
        ("/@other.example:80/x", "/@other.example:80/x"),
        ("/a#b", "/a%23b"),
        ("/é", "/%C3%A9"),
    ],
)
async def test_a_path_is_requested_from_the_pod(path: str, target: str) -> None:
    mine = Pod(OK)
    async with mine.serve() as kube:
        answer = await _get(kube, path, headers={"X-Probe": "1"})
    assert (answer.status, answer.text, answer.is_cut) == (200, "up\n", False)
    assert mine.requests[0].startswith(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{mine.port}\r\n")
    assert "x-probe: 1" in mine.requests[0].lower()


async def test_no_redirect_and_no_proxy_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Pod(OK)
    async with other.serve():
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{other.port}")
        location = f"Location: http://127.0.0.1:{other.port}/\r\n"
        mine = Pod(f"HTTP/1.1 302 Found\r\n{location}Content-Length: 0\r\n\r\n".encode())
        async with mine.serve() as kube:
            assert (await _get(kube, "/metrics")).status == 302
    assert other.requests == []


async def test_a_long_response_is_cut_off_and_never_decompressed() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    async with Pod(head + b"x" * (pod_http.LIMIT_BYTES + 1)).serve() as kube:
        answer = await _get(kube, "/metrics")
    assert (len(answer.text), answer.is_cut) == (pod_http.LIMIT_BYTES, True)
    bomb = gzip.compress(bytes(10 * pod_http.LIMIT_BYTES))
    async with Pod(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb).serve() as kube:
        answer = await _get(kube, "/metrics")
    assert len(answer.text) <= len(bomb)


async def test_a_response_without_an_end_ends_with_the_limit() -> None:
    class Slow(Pod):
        async def port_forward(self, namespace: str, name: str, port: int) -> Any:
            del namespace, name, port
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await pod_http.get(cast(Kube, Slow(b"")), POD, 1, "/", limit_s=0.01)


async def test_a_header_that_http_does_not_carry_is_an_error_of_ours() -> None:
    async with Pod(OK).serve() as kube:
        with pytest.raises(VrooliError, match="not valid"):
            await _get(kube, "/", headers={"X-Probe": "é\u202e"})


async def test_metrics_of_a_forged_path_are_skipped_and_named() -> None:
    mine, other = Pod(OK), Pod(OK)
    fetcher = Fetcher()
    async with mine.serve() as kube, other.serve():
        endpoint = MetricsEndpoint(POD, 9090, f"@127.0.0.1:{other.port}/x")
        read = partial(extras._scrape, kube, endpoint)
        assert await fetcher.fetch(f"metrics of {endpoint.name}", read, "") == ""
    assert (mine.requests, other.requests) == ([], [])
    assert "metrics of web-0:9090: '@127.0.0.1" in str(fetcher.unavailable[0])


async def test_long_metrics_end_with_a_line_that_says_so() -> None:
    async with Pod(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (pod_http.LIMIT_BYTES + 1)).serve() as kube:
        text = await extras._scrape(kube, MetricsEndpoint(POD, 9090))
    assert text.endswith("x\n# cut off after 4 MiB\n")


async def test_a_probe_of_a_container_cannot_name_another_host() -> None:
    mine, other = Pod(OK), Pod(OK)
    async with mine.serve() as kube, other.serve():
        question = health_answer._Question(POD, 80, f"@127.0.0.1:{other.port}/x")
        answer = await health_answer._fetch_answer(kube, question)
    assert not answer.ok
    assert "is not a path" in answer.text
    assert (mine.requests, other.requests) == ([], [])
