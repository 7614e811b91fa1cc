"""What the services count of their requests."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from support.fakes.asgi import asgi_client
from vrooli_shared.metrics import RequestMetrics


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def broken(_: Request) -> Response:
    raise RuntimeError("broken on purpose")


APP = Starlette(
    routes=[Route("/hello/{name}", hello), Route("/broken", broken)],
    middleware=[Middleware(RequestMetrics)],
)


def _count(**labels: Any) -> float:
    return REGISTRY.get_sample_value("vrooli_http_requests_total", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/hello/one", {"handler": "hello", "method": "GET", "status": "200"}),
        ("GET", "/nowhere", {"handler": "none", "method": "GET", "status": "404"}),
        ("GET", "/broken", {"handler": "broken", "method": "GET", "status": "500"}),
        ("BREW", "/nowhere", {"handler": "none", "method": "other", "status": "404"}),
    ],
)
async def test_a_request_is_counted_by_its_handler_once(
    method: str, path: str, labels: dict[str, str]
) -> None:
    before = _count(**labels)
    async with asgi_client(APP) as client:
        await client.request(method, path)
    assert _count(**labels) == before + 1


async def test_the_same_handler_is_one_series_whatever_its_path() -> None:
    async with asgi_client(APP) as client:
        for number in range(5):
            await client.get(f"/hello/{number}")
    series = [
        sample.labels
        for metric in REGISTRY.collect()
        if metric.name == "vrooli_http_requests"
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["handler"] == "hello"
    ]
    assert series == [{"handler": "hello", "method": "GET", "status": "200"}]
