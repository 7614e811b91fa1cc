"""Scheduled jobs, and the record of their recent runs in Redis.

SAQ queues each run once, for any number of workers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from redis.asyncio import Redis
from saq import CronJob

from vrooli_jobs.state import State, state_in
from vrooli_shared.health import describe
from vrooli_shared.queue import enqueue

# A post that is pending for longer than the queue's maximum delay has lost its job: Redis
# replicates asynchronously, so a failover can lose it. Seconds.
STUCK_S = 60.0
# Retention of pictures that are never shown, for objections and reports; seconds.
HIDDEN_RETENTION_S = 24 * 3600.0
MAX_RUNS = 5

CronFunction = Callable[[Any], Awaitable[str]]


async def _requeue_stuck(state: State) -> str:
    stuck = await state.posts.stuck(STUCK_S)
    queued = [await enqueue(state.queue, post.id) for post in stuck]
    return f"{sum(queued)} posts requeued"


async def _drop_hidden_pictures(state: State) -> str:
    return f"{await state.posts.drop_hidden_pictures(HIDDEN_RETENTION_S)} pictures deleted"


async def _drop_expired_keys(state: State) -> str:
    return f"{await state.posts.drop_expired_keys()} keys deleted"


async def _correct_totals(state: State) -> str:
    return f"totals corrected by {await state.posts.correct_totals()} bytes"


def recorded(name: str, work: Callable[[State], Awaitable[str]]) -> CronFunction:
    """The cron function ``name``, which runs ``work`` and records the outcome."""

    @wraps(work)
    async def run(context: Any) -> str:
        state, start = state_in(context), time.perf_counter()
        try:
            outcome = await work(state)
        except Exception as error:
            await _record(state.redis, name, start, ok=False, outcome=describe(error))
            raise
        await _record(state.redis, name, start, ok=True, outcome=outcome)
        return outcome

    run.__qualname__ = name  # SAQ's name of the function
    return run


SCHEDULES = {
    "requeue_stuck": "* * * * *",
    "drop_hidden_pictures": "*/10 * * * *",
    "drop_expired_keys": "5 * * * *",
    "correct_totals": "35 * * * *",
}
WORK = {
    "requeue_stuck": _requeue_stuck,
    "drop_hidden_pictures": _drop_hidden_pictures,
    "drop_expired_keys": _drop_expired_keys,
    "correct_totals": _correct_totals,
}


def cron_jobs() -> list[CronJob[Any]]:
    """All cron jobs."""
    return [
        CronJob(recorded(name, work), cron=SCHEDULES[name], timeout=50)
        for name, work in WORK.items()
    ]


async def recent_runs(redis: Redis) -> dict[str, Any]:
    """Each cron job's schedule and its recent runs, newest first."""
    runs = {name: await redis.lrange(_key(name), 0, MAX_RUNS - 1) for name in WORK}
    return {
        name: {"schedule": SCHEDULES[name], "runs": [json.loads(run) for run in records]}
        for name, records in runs.items()
    }


async def _record(redis: Redis, name: str, start: float, *, ok: bool, outcome: str) -> None:
    run = {
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "ok": ok,
        "duration_ms": round((time.perf_counter() - start) * 1000, 1),
        "outcome": outcome,
    }
    async with redis.pipeline(transaction=False) as pipe:
        pipe.lpush(_key(name), json.dumps(run))
        pipe.ltrim(_key(name), 0, MAX_RUNS - 1)
        await pipe.execute()


def _key(name: str) -> str:
    return f"vrooli:cron:{name}"
