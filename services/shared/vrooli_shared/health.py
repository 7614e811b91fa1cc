"""Health checks, run concurrently with a timeout and reported with their latency."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

log = logging.getLogger(__name__)

# Timeout of a check, seconds; must be below the timeout of the Kubernetes probes.
TIMEOUT_S = 2.5
# How long the results of checks are those of further public requests, seconds.
SHARED_S = 1.0

Details = Mapping[str, Any]
Check = Callable[[], Awaitable[Details | None]]


class CheckError(Exception):
    """A failed check, with details for the report."""

    def __init__(self, message: str, details: Details) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Result:
    """Result of a check; ``details`` are specific to it, such as the queue's length."""

    ok: bool
    latency_ms: float
    error: str | None = None
    details: Details = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """The result as in the JSON report."""
        fields: dict[str, Any] = {"status": "up" if self.ok else "down"}
        fields["latency_ms"] = round(self.latency_ms, 1)
        if self.error:
            fields["error"] = self.error
        return {**fields, **self.details}


async def run(checks: Mapping[str, Check], timeout_s: float = TIMEOUT_S) -> dict[str, Result]:
    """Run all checks concurrently; one that fails or times out doesn't affect the others."""
    results = await asyncio.gather(*(_run_one(check, timeout_s) for check in checks.values()))
    return dict(zip(checks, results, strict=True))


class SharedChecks:
    """Checks that all requests of a second share: they ask the database, and anybody may ask."""

    def __init__(self, shared_s: float = SHARED_S) -> None:
        self._shared_s, self._began = shared_s, float("-inf")
        self._results: asyncio.Task[dict[str, Result]] | None = None

    async def run(self, checks: Mapping[str, Check]) -> dict[str, Result]:
        """The results of the last checks, or those of new ones; see ``run`` of the module."""
        now = time.monotonic()
        if self._results is None or now - self._began >= self._shared_s:
            self._began, self._results = now, asyncio.create_task(run(checks))
        return await asyncio.shield(self._results)


async def _run_one(check: Check, timeout_s: float) -> Result:
    start = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            details = await check() or {}
    except TimeoutError:
        return Result(False, _since(start), f"no answer within {timeout_s:g} s")
    except CheckError as error:
        return Result(False, _since(start), str(error), error.details)
    except Exception as error:  # noqa: BLE001 - any exception means that it is down
        return Result(False, _since(start), describe(error))
    return Result(True, _since(start), None, details)


def describe(error: Exception) -> str:
    """An error in one line: its kind and the first_line line of its message."""
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


# What a public report says of a dependency; errors and details may name hosts and users.
PUBLIC = ("status", "latency_ms", "services")


def public(views: Mapping[str, Any]) -> dict[str, Any]:
    """The views of dependencies without their errors and details."""
    return {
        name: {
            key: public(value) if key == "services" else value
            for key, value in view.items()
            if key in PUBLIC
        }
        for name, view in views.items()
    }


def is_liveness(request: Request) -> bool:
    """Whether the request is from the liveness or startup probe: ``X-Probe: liveness``.

    The response includes no checks: a restart doesn't repair a dependency, and a slow check would
    cause a busy process to be killed.
    """
    return request.headers.get("x-probe", "").lower() == "liveness"


def alive(body: dict[str, Any]) -> JSONResponse:
    """The response to the liveness probe."""
    return _json("up", body, 200)


def report(body: dict[str, Any], *, ready: bool, degraded: bool = False) -> JSONResponse:
    """The response with the full report: 503 if not ready.

    ``degraded`` means that the service is ready, but an optional dependency is down.
    """
    status = "down" if not ready else "degraded" if degraded else "up"
    return _json(status, body, 200 if ready else 503)


def _json(status: str, body: dict[str, Any], code: int) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    return JSONResponse({"status": status, **body}, status_code=code, headers=headers)
