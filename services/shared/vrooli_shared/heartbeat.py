"""The heartbeat of the jobs in Redis, by which the server knows their state.

The architecture and the network policies allow no connection from server to jobs. The workers
report their state, and that of the detector, through Redis.
"""

from __future__ import annotations

import json
import time
from typing import Any

from redis.asyncio import Redis

KEY = "vrooli:jobs:beat"
INTERVAL_S = 5.0
# Seconds without a heartbeat after which no worker is assumed; longer than a rolling update's gap.
TTL_S = 20


async def send(redis: Redis, report: dict[str, Any]) -> None:
    """Store a report of this worker, which expires after ``TTL_S`` seconds."""
    await redis.set(KEY, json.dumps({"at": time.time(), **report}), ex=TTL_S)


async def fetch_last(redis: Redis) -> dict[str, Any]:
    """The last report.

    Raises:
        LookupError: No worker has reported within ``TTL_S`` seconds.
    """
    value = await redis.get(KEY)
    if value is None:
        raise LookupError(f"no worker reported within {TTL_S} s")
    report: dict[str, Any] = json.loads(value)
    return {**report, "age_s": round(time.time() - report["at"], 1)}
