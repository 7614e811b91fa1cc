"""Where an operator is taken from: probed on real servers of this host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli import operators
from vrooli.errors import UsageError
from vrooli.kube import common_labels
from vrooli.operators.installation import record, sources
from vrooli.operators.model import Source, VendorChart

CHART = VendorChart("pgo", "5.8.2", ())
INDEX = "apiVersion: v1\nentries: {pgo: [{name: pgo, version: 5.8.2}]}\n"
PAGE = "<!DOCTYPE html><html><body>Log in: pgo entries</body></html>"


@asynccontextmanager
async def site(
    status: str, paths: list[str] | None = None, body: str = INDEX, type_: str = "text/yaml"
) -> AsyncIterator[str]:
    """A site that gives one answer to all; none at all when it is empty."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        if paths is not None:
            paths.append(request.split()[1])
        if status:
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: {type_}"
            writer.write(f"{head}\r\n\r\n{body}".encode())
            await writer.drain()
        else:
            await reader.read()  # until the client gives up
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_repository_that_serves_an_index_is_taken() -> None:
    paths: list[str] = []
    async with site("200 OK", paths) as url:
        chart = replace(CHART, repositories=(f"{url}/charts/",))
        assert await sources.repository(chart) == f"{url}/charts/"
    assert paths == ["/charts/index.yaml"]


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (PAGE, "text/html; charset=utf-8"),
        (PAGE, "text/plain"),
        ("", "text/yaml"),
        ("apiVersion: v1\nentries: {other: []}\n", "text/yaml"),
    ],
    ids=["a login page", "a page of another type", "nothing", "an index without the chart"],
)
async def test_a_site_that_answers_without_the_chart_is_no_repository(
    body: str, type_: str
) -> None:
    async with site("200 OK", None, body, type_) as url:
        assert await sources.repository(replace(CHART, repositories=(url,))) is None


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(200, json={}), True),
        (httpx.Response(200), True),
        (httpx.Response(401, headers={"www-authenticate": "Bearer realm=x"}), True),
        (httpx.Response(401), False),
        (httpx.Response(200, html=PAGE), False),
        (httpx.Response(200, text=PAGE), False),
        (httpx.Response(404), False),
    ],
)
def test_a_registry_is_recognized_by_its_answer(response: httpx.Response, expected: bool) -> None:
    assert sources._is_registry(response) is expected


async def test_next_repository_is_tried_when_the_first_has_no_index() -> None:
    async with site("404 Not Found") as first, site("200 OK") as second:
        chart = replace(CHART, repositories=(first, second))
        assert await sources.repository(chart) == second


async def test_repository_that_never_answers_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "PROBE_S", 0.2)
    async with site("") as url, asyncio.timeout(2):
        assert await sources.repository(replace(CHART, repositories=(url,))) is None


async def test_refused_connection_is_no_repository() -> None:
    async with site("200 OK") as url:
        pass
    assert await sources.repository(replace(CHART, repositories=(url,))) is None


def cluster(operator: operators.Operator, *, ours: bool) -> FakeCluster:
    """A cluster whose operator was installed from a Go module, by this product or another."""
    labels = {common_labels.MANAGED_BY: "vrooli"} if ours else {}
    annotations = {record.SOURCE: "go-module"}
    return FakeCluster(namespace(operator.namespace, labels=labels, annotations=annotations))


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the person's choice."""
    return lambda source: monkeypatch.setenv(sources.VARIABLE, source)


async def test_named_source_is_taken_without_a_probe(named: Callable[[str], None]) -> None:
    named("go-module")
    chosen = await operators.choose(operators.OPERATORS, None)
    assert set(chosen.values()) == {Source.GO_MODULE}
    assert set(chosen) == {"postgres-operator", "redis-operator", "vault-secrets-operator"}


async def test_cluster_that_pulls_nothing_gets_our_builds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    chosen = await operators.choose(operators.OPERATORS, None, pulls=False)
    assert set(chosen.values()) == {Source.GO_MODULE}


async def test_unknown_source_is_refused(named: Callable[[str], None]) -> None:
    named("elsewhere")
    with pytest.raises(UsageError, match="elsewhere") as raised:
        await operators.choose(operators.OPERATORS, None)
    assert "vendor, go-module" in raised.value.advice


async def test_installed_operator_keeps_its_source(named: Callable[[str], None]) -> None:
    named("vendor")
    chosen = await operators.choose([operators.PGO], cluster(operators.PGO, ours=True))
    assert chosen == {"postgres-operator": Source.GO_MODULE}


async def test_the_record_of_another_product_is_ignored(named: Callable[[str], None]) -> None:
    named("vendor")
    chosen = await operators.choose([operators.REDIS], cluster(operators.REDIS, ours=False))
    assert chosen == {"redis-operator": Source.VENDOR}
