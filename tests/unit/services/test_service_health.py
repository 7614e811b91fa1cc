"""The health checks' own rules, without any real service behind them."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from starlette.requests import Request

from vrooli_shared import health

pytestmark = pytest.mark.anyio


async def _up() -> health.Details:
    return {"queued": 3}


async def _down() -> None:
    raise ConnectionRefusedError("nobody listens\nsecond line")


async def _hangs() -> None:
    await asyncio.sleep(60)


async def test_checks_run_at_once_and_a_hanging_one_is_cut_off() -> None:
    """Three hanging checks take one limit, not three, and stop no other check."""
    start = time.perf_counter()
    checks = {"a": _hangs, "b": _hangs, "c": _hangs, "up": _up}
    results = await health.run(checks, limit_s=0.2)
    hanging = sum(results[name].latency_ms for name in ("a", "b", "c")) / 1000
    assert time.perf_counter() - start < hanging / 2  # at once: a third of their sum
    assert [name for name, result in results.items() if result.ok] == ["up"]
    assert results["a"].error == "no answer within 0.2 s"


async def test_a_check_shows_its_latency_its_details_or_its_error() -> None:
    """One line per error: a report is no place for traces."""
    results = await health.run({"up": _up, "down": _down})
    assert results["up"].view() == {
        "status": "up",
        "latency_ms": pytest.approx(0, abs=50),
        "queued": 3,
    }
    assert results["down"].view()["error"] == "ConnectionRefusedError: nobody listens"


@pytest.mark.parametrize(
    ("ready", "probe", "status"),
    [(True, None, 200), (False, None, 503), (False, "liveness", 200), (True, "liveness", 200)],
)
def test_only_readiness_fails_with_a_part_that_is_down(
    *, ready: bool, probe: str | None, status: int
) -> None:
    """A restart would mend nothing, so the liveness probe always passes; the body tells all."""
    headers = [(b"x-probe", probe.encode())] if probe else []
    request = Request({"type": "http", "headers": headers})
    answer = health.answer(request, {"service": "x"}, ready=ready)
    assert answer.status_code == status
    assert json.loads(bytes(answer.body))["status"] == ("up" if ready else "down")


@pytest.mark.parametrize(
    ("ready", "status", "shown"), [(True, 200, "degraded"), (False, 503, "down")]
)
def test_what_is_missed_but_not_needed_takes_no_pod_away(
    *, ready: bool, status: int, shown: str
) -> None:
    answer = health.answer(
        Request({"type": "http", "headers": []}), {"service": "x"}, ready=ready, degraded=True
    )
    assert (answer.status_code, json.loads(bytes(answer.body))["status"]) == (status, shown)
