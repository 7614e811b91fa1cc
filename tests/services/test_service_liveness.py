"""The liveness probe succeeds while the dependencies of a service hang."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from statistics import median

import httpx
import pytest

from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready
from vrooli_shared import health

# Less than a check of a hanging dependency takes, seconds.
AT_ONCE_S = health.TIMEOUT_S - 0.5


def usual(url: str, times: int = 9) -> float:
    """How long the liveness probe takes usually, seconds: one may meet a busy machine."""
    durations = []
    with httpx.Client(headers={"X-Probe": "liveness"}, timeout=60) as client:
        for _ in range(times):
            start = time.monotonic()
            answer = client.get(f"{url}/healthcheck")
            durations.append(time.monotonic() - start)
            assert (answer.status_code, answer.json()["status"]) == (200, "up")
    return median(durations)


@pytest.mark.parametrize("service", ["server", "jobs"])
def test_liveness_succeeds_while_dependencies_hang(stack: Stack, service: str) -> None:
    """Databases that are frozen, checks under way, and a pool whose connections all wait."""
    url = stack.url() if service == "server" else f"http://127.0.0.1:{stack.jobs.port}"
    dependencies = [*stack.backend.all(), stack.detector]
    for running in dependencies:
        assert running.process is not None
        running.process.send_signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(14) as threads:
            for _ in range(5):
                threads.submit(_quietly, f"{url}/healthcheck")
            if service == "server":
                for _ in range(8):  # more than the pool has connections
                    threads.submit(_quietly, f"{url}/api/posts?limit=3")
            time.sleep(0.3)
            assert usual(url) < AT_ONCE_S
            for running in dependencies:
                assert running.process is not None
                running.process.send_signal(signal.SIGCONT)
    finally:
        for running in dependencies:
            assert running.process is not None
            running.process.send_signal(signal.SIGCONT)
    for other in (stack.url(0), stack.url(1)):
        wait_until(lambda other=other: is_ready(other), PATIENCE_S, "the server is ready again")  # type: ignore[misc]


def _quietly(url: str) -> None:
    with suppress(httpx.HTTPError):  # its answer is not what the test is about
        httpx.get(url, timeout=60)
