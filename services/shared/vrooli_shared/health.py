"""Health checks: run at once, each with a time limit, reported with its latency."""

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

# A check does one short thing; probes of Kubernetes give up after a few seconds.
LIMIT_S = 2.5

Details = Mapping[str, Any]
Check = Callable[[], Awaitable[Details | None]]


class CheckError(Exception):
    """What a check found to be wrong, with details that the report shows beside it."""

    def __init__(self, message: str, details: Details) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Result:
    """One check's outcome; ``details`` are the check's own, such as the queue's length."""

    ok: bool
    latency_ms: float
    error: str | None = None
    details: Details = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """The result as JSON shows it."""
        shown: dict[str, Any] = {"status": "up" if self.ok else "down"}
        shown["latency_ms"] = round(self.latency_ms, 1)
        if self.error:
            shown["error"] = self.error
        return {**shown, **self.details}


async def run(checks: Mapping[str, Check], limit_s: float = LIMIT_S) -> dict[str, Result]:
    """Run every check at once; one that fails or hangs is down and stops no other."""
    results = await asyncio.gather(*(_one(check, limit_s) for check in checks.values()))
    return dict(zip(checks, results, strict=True))


async def _one(check: Check, limit_s: float) -> Result:
    start = time.perf_counter()
    try:
        async with asyncio.timeout(limit_s):
            details = await check() or {}
    except TimeoutError:
        return Result(False, _since(start), f"no answer within {limit_s:g} s")
    except CheckError as error:
        return Result(False, _since(start), str(error), error.details)
    except Exception as error:  # noqa: BLE001 - whatever it raises, it is down
        return Result(False, _since(start), describe(error))
    return Result(True, _since(start), None, details)


def describe(error: Exception) -> str:
    """An error in one line: its kind and the first line of its message."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def is_liveness(request: Request) -> bool:
    """Whether the liveness (or startup) probe asks: ``X-Probe: liveness``.

    It is answered at once, without any check: a restart of this process would mend nothing that is
    broken elsewhere, and a check that takes long would have a busy process killed.
    """
    return request.headers.get("x-probe", "").lower() == "liveness"


def alive(body: dict[str, Any]) -> JSONResponse:
    """The answer to the liveness probe."""
    return _json("up", body, 200)


def answer(body: dict[str, Any], *, ready: bool, degraded: bool = False) -> JSONResponse:
    """The report's HTTP answer: 503 when not ready.

    ``degraded`` is what is ready though something that it can do without is down.
    """
    status = "down" if not ready else "degraded" if degraded else "up"
    return _json(status, body, 200 if ready else 503)


def _json(status: str, body: dict[str, Any], code: int) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    return JSONResponse({"status": status, **body}, status_code=code, headers=headers)
