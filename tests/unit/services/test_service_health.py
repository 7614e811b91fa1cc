"""The health checks' own rules, without any real service behind them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from starlette.requests import Request
from starlette.responses import Response

from vrooli_jobs import health as jobs_health
from vrooli_server import health as server_health
from vrooli_shared import health
from vrooli_shared.settings import Settings

pytestmark = pytest.mark.anyio


async def _up() -> health.Details:
    return {"queued": 3}


async def _down() -> None:
    raise ConnectionRefusedError("nobody listens\nsecond line")


async def _hangs() -> None:
    await asyncio.sleep(60)


async def test_checks_run_concurrently_with_a_timeout() -> None:
    """Three hanging checks take one limit, not three, and stop no other check."""
    start = time.perf_counter()
    checks = {"a": _hangs, "b": _hangs, "c": _hangs, "up": _up}
    results = await health.run(checks, timeout_s=0.2)
    hanging = sum(results[name].latency_ms for name in ("a", "b", "c")) / 1000
    assert time.perf_counter() - start < hanging / 2  # at once: a third of their sum
    assert [name for name, result in results.items() if result.ok] == ["up"]
    assert results["a"].error == "no answer within 0.2 s"


async def test_a_check_shows_its_latency_its_details_or_its_error() -> None:
    """One line per error: a report is no place for traces."""
    results = await health.run({"up": _up, "down": _down})
    assert results["up"].latency_ms > 0
    shown = replace(results["up"], latency_ms=12.345).view()
    assert shown == {"status": "up", "latency_ms": 12.3, "queued": 3}
    assert results["down"].view()["error"] == "ConnectionRefusedError: nobody listens"


async def test_details_of_a_failed_check_are_reported() -> None:
    async def failing_check() -> None:
        raise health.CheckError("schema missing: table a", {"schema": {"missing": ["table a"]}})

    shown = (await health.run({"database": failing_check}))["database"].view()
    assert shown["error"] == "schema missing: table a"
    assert (shown["status"], shown["schema"]) == ("down", {"missing": ["table a"]})


async def test_public_requests_of_a_second_share_the_checks() -> None:
    """Each asks the database, and anybody may ask."""
    asked: list[str] = []

    async def check() -> None:
        asked.append("database")
        await asyncio.sleep(0)

    shared = health.SharedChecks(shared_s=3600)
    results = await asyncio.gather(*(shared.run({"database": check}) for _ in range(5)))
    results.append(await shared.run({"database": check}))
    assert (len(asked), {item["database"].ok for item in results}) == (1, {True})
    fresh = health.SharedChecks(shared_s=0)
    for _ in range(2):
        await fresh.run({"database": check})
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("ready", "degraded", "status", "shown"),
    [
        (True, False, 200, "up"),
        (True, True, 200, "degraded"),
        (False, False, 503, "down"),
        (False, True, 503, "down"),
    ],
)
def test_only_required_dependencies_affect_readiness(
    *, ready: bool, degraded: bool, status: int, shown: str
) -> None:
    answer = health.report({"service": "x"}, ready=ready, degraded=degraded)
    assert (answer.status_code, json.loads(bytes(answer.body))["status"]) == (status, shown)


@pytest.mark.parametrize(
    ("probe", "alive"), [("liveness", True), ("readiness", False), ("", False)]
)
def test_only_the_liveness_probe_skips_the_checks(probe: str, *, alive: bool) -> None:
    request = Request({"type": "http", "headers": [(b"x-probe", probe.encode())]})
    assert health.is_liveness(request) is alive


@pytest.mark.parametrize("healthcheck", [server_health.healthcheck, jobs_health.healthcheck])
async def test_liveness_runs_no_check(
    healthcheck: Callable[[Request], Awaitable[Response]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that a check would ask is there: it would fail, were it asked."""
    state = Mock(spec=["settings"])
    state.settings = Settings(redis_sentinel_hosts="nowhere", vrooli_version="1.2.3")
    monkeypatch.setattr(server_health, "state_of", lambda request: request.app.state.vrooli)
    app = SimpleNamespace(state=SimpleNamespace(vrooli=state))
    scope = {"type": "http", "headers": [(b"x-probe", b"liveness")], "app": app}
    answer = await healthcheck(Request(scope))
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["status"], body["version"]) == (200, "up", "1.2.3")
