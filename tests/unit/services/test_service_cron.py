"""When the cron jobs run; the services' own tests run one of them more often."""

from __future__ import annotations

from vrooli_jobs import cron


def test_forgotten_posts_are_looked_for_once_a_minute() -> None:
    schedules = {job.function.__qualname__: job.cron for job in cron.cron_jobs()}
    assert schedules["requeue_stuck"] == "* * * * *"
    assert schedules.keys() == cron.SCHEDULES.keys()
