"""What the probes see while everything is up, and when a part is down."""

from __future__ import annotations

import signal

import httpx

from support.browser.page import decided, health, post
from support.browser.pictures import landscape
from support.programs import frequent_jobs
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready


def test_the_server_reports_each_part_with_its_latency(stack: Stack) -> None:
    """Database, Redis, queue, and the services behind it."""
    report = health(stack.url())
    parts = [report["database"], report["redis"], report["queue"], *report["services"].values()]
    assert report["status"] == "up"
    assert set(report["services"]) == {"jobs", "nsfw-detector"}
    assert all(part["status"] == "up" and part["latency_ms"] >= 0 for part in parts)
    assert httpx.get(f"{stack.url()}/api/health").json()["service"] == "server"


def test_without_redis_the_server_is_alive_but_not_ready(stack: Stack) -> None:
    """Frozen, not closed: the worst case, since nothing says that the connection is gone."""
    processes = [*stack.backend.redis, *stack.backend.sentinels]
    for running in processes:
        assert running.process is not None
        running.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: not is_ready(stack.url()), PATIENCE_S, "the readiness probe fails")
        report = health(stack.url())
        liveness = httpx.get(f"{stack.url()}/healthcheck", headers={"X-Probe": "liveness"})
        assert (report["redis"]["status"], report["database"]["status"]) == ("down", "up")
        assert liveness.status_code == 200
        # What is posted meanwhile is stored, and the list still comes, if not from the cache.
        created = post(stack.url(), "While Redis was away", landscape())
        posts = httpx.get(f"{stack.url()}/api/posts", timeout=20).json()["posts"]
        assert posts[0]["id"] == created["id"]
    finally:
        for running in processes:
            assert running.process is not None
            running.process.send_signal(signal.SIGCONT)
    wait_until(lambda: is_ready(stack.url()), PATIENCE_S, "the server is ready again")
    # The cron job finds what could not be queued, once it is a minute old.
    assert decided(stack.url(), created["id"], limit_s=240)["state"] == "approved"


def test_without_jobs_the_server_is_degraded(stack: Stack) -> None:
    """Their heartbeat in Redis ends with them, and returns with them; the API never goes."""
    stack.jobs.stop()
    try:
        wait_until(
            lambda: status(stack) == "degraded", PATIENCE_S, "the missing heartbeat is noticed"
        )
        report = health(stack.url())
        assert report["services"]["jobs"]["status"] == "down"
        assert "no worker reported" in report["services"]["jobs"]["error"]
        assert is_ready(stack.url())
        waiting = post(stack.url(), "While nobody worked", landscape())
    finally:
        stack.jobs.start()
    assert decided(stack.url(), waiting["id"])["state"] == "approved"
    wait_until(lambda: status(stack) == "up", PATIENCE_S, "the heartbeat is back")


def status(stack: Stack) -> str:
    """How the server says that it is."""
    return str(health(stack.url())["status"])


def test_without_the_detector_services_are_ready_and_posts_wait(stack: Stack) -> None:
    """Posts wait in the queue for it, and are decided once it is back."""
    jobs = f"http://127.0.0.1:{stack.jobs.port}"
    stack.detector.stop()
    try:
        created = post(stack.url(), "While it was away", landscape())
        wait_until(
            lambda: health(stack.url())["services"]["nsfw-detector"]["status"] == "down",
            PATIENCE_S,
            "the server shows the detector as down",
        )
        assert is_ready(stack.url())
        assert is_ready(jobs)
        assert health(jobs)["services"]["nsfw-detector"]["status"] == "down"
    finally:
        stack.detector.start()
    wait_until(
        lambda: httpx.get(f"{stack.url()}/api/posts/{created['id']}").json()["state"] == "approved",
        PATIENCE_S,
        "the waiting post is decided",
    )


def test_the_jobs_show_their_cron_jobs(stack: Stack) -> None:
    """Each with its schedule and its recent runs."""
    report = health(f"http://127.0.0.1:{stack.jobs.port}")
    assert report["redis"]["status"] == "up"
    assert report["cron"]["jobs"]["requeue_stuck"]["schedule"] == frequent_jobs.SCHEDULE
    assert report["cron"]["jobs"]["drop_expired_keys"]["schedule"] == "5 * * * *"
    for job in report["cron"]["jobs"].values():
        assert all({"ended_at", "ok", "duration_ms", "outcome"} <= set(run) for run in job["runs"])


def test_prometheus_reads_requests_verdicts_and_the_queue(stack: Stack) -> None:
    """Of the server and of the jobs, whose worker decided the post."""
    created = post(stack.url(), "Counted", landscape())
    decided(stack.url(), created["id"])
    server, jobs = stack.url(), f"http://127.0.0.1:{stack.jobs.port}"
    series = 'vrooli_http_requests_total{handler="create_post",method="POST",status="201"}'
    assert sample(server, series) >= 1
    # The job ends a moment after its verdict, and a cron job may be in the queue.
    queued = 'vrooli_queue_jobs{state="queued"}'
    wait_until(lambda: sample(server, queued) == 0, PATIENCE_S, "the queue is empty")
    approved = 'vrooli_verdicts_total{state="approved"}'
    wait_until(lambda: sample(jobs, approved) >= 1, PATIENCE_S, "the verdict is counted")
    durations = "vrooli_moderation_seconds_count"
    wait_until(lambda: sample(jobs, durations) >= 1, PATIENCE_S, "the duration is counted")


def sample(url: str, series: str) -> float:
    """One series' value in what Prometheus reads now; 0 as long as it has none."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(series)), 0.0)
