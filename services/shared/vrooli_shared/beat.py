"""The jobs' heartbeat in Redis: how the server knows of the jobs without calling them.

The diagrams have no arrow from server to jobs, so the network policies have none either: what
the workers say of themselves, and of the detector that only they reach, comes through Redis.
"""

from __future__ import annotations

import json
import time
from typing import Any

from redis.asyncio import Redis

KEY = "vrooli:jobs:beat"
EVERY_S = 5.0
# Without a beat for this long there is no worker; a rolling update stays below it.
TTL_S = 20


async def beat(redis: Redis, report: dict[str, Any]) -> None:
    """Say that a worker lives, and what it knows."""
    await redis.set(KEY, json.dumps({"at": time.time(), **report}), ex=TTL_S)


async def last(redis: Redis) -> dict[str, Any]:
    """The last report.

    Raises:
        LookupError: No worker has given one lately.
    """
    found = await redis.get(KEY)
    if found is None:
        raise LookupError(f"no worker reported within {TTL_S} s")
    report: dict[str, Any] = json.loads(found)
    return {**report, "age_s": round(time.time() - report["at"], 1)}
