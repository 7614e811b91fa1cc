"""Failures of what the services stand on: nothing is lost, and nobody restarts anything by hand."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import httpx

from support.browser.page import decided, health, listening, post
from support.browser.pictures import landscape
from support.programs.backend import psql
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready


def test_a_failed_redis_master_is_replaced(stack: Stack) -> None:
    """Sentinel promotes the replica; server, jobs and open pages find it by themselves."""
    with listening(stack.url()) as page:
        master = _master(stack)
        master.stop(signal.SIGKILL)
        try:
            created = post(stack.url(), "During the failover", landscape())
            assert created["state"] == "pending"
            verdict = decided(stack.url(), created["id"], limit_s=180)
            assert verdict["state"] == "approved"
            wait_until(lambda: is_ready(stack.url()), PATIENCE_S, "the server is ready again")
            later = post(stack.url(), "After the failover", landscape())
            wait_until(
                lambda: "approved" in page.states_of(later["id"]),
                PATIENCE_S,
                "the page hears again",
            )
            # Whatever was published in between is lost, so the page was told to load anew.
            assert page.heard("resync")
        finally:
            master.start()


def test_a_database_restart_fails_no_request(stack: Stack) -> None:
    """Requests that come meanwhile wait and succeed; none is answered with an error."""
    answers: list[int] = []

    def query() -> None:
        for _ in range(12):
            answers.append(httpx.get(f"{stack.url()}/api/posts?limit=200", timeout=30).status_code)
            post(stack.url(), "Meanwhile")
            time.sleep(0.1)

    client = threading.Thread(target=query)
    client.start()
    stack.backend.postgres.stop(signal.SIGINT)  # as a crash: sessions end at once
    time.sleep(0.5)  # a request has come by then
    stack.backend.postgres.start()
    client.join(300)
    assert answers == [200] * 12


def test_a_post_without_a_job_is_requeued(stack: Stack) -> None:
    """Redis may lose a job in a failover; the cron job queues what waits for too long."""
    post_id = "00000000-0000-4000-8000-00000000dead"
    backend = stack.backend
    picture = landscape().hex()
    psql(
        backend.folder,
        backend.postgres.port,
        f"""BEGIN;
            INSERT INTO vrooli.posts (id, text, state, updated_at)
            VALUES ('{post_id}', 'forgotten', 'pending', now() - interval '2 minutes');
            INSERT INTO vrooli.pictures VALUES ('{post_id}', 'image/png', '\\x{picture}');
            COMMIT""",
    )
    assert decided(stack.url(), post_id)["state"] == "approved"

    def is_recorded() -> bool:
        jobs = health(f"http://127.0.0.1:{stack.jobs.port}")
        runs: list[dict[str, Any]] = jobs["cron"]["jobs"]["requeue_stuck"]["runs"]
        return any(run["ok"] and run["outcome"] == "1 posts requeued" for run in runs)

    # The run is recorded when it has ended, which may be after the verdict.
    wait_until(is_recorded, 20, "the run is recorded")


def _master(stack: Stack) -> Any:
    """The Redis that Sentinel calls the master now."""
    from redis import Redis  # noqa: PLC0415 - only here

    with Redis(port=stack.backend.sentinels[0].port, decode_responses=True) as sentinel:
        _, port = sentinel.execute_command("SENTINEL", "get-master-addr-by-name", "mymaster")
    return next(redis for redis in stack.backend.redis if redis.port == int(port))
