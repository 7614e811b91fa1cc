"""GET /healthcheck of the jobs: Redis, database, detector and recent runs of the cron jobs."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response

from vrooli_jobs.cron import recent_runs
from vrooli_jobs.state import State
from vrooli_shared import __version__, health, heartbeat
from vrooli_shared.redis_link import UNAVAILABLE_ERRORS

log = logging.getLogger(__name__)


async def healthcheck(request: Request) -> Response:
    """Run all checks; 503 if Redis or the database is down.

    The response to the liveness probe includes no checks. The detector is reported but not
    required: jobs are retried, and the readiness of a worker should not depend on another pod.
    """
    state: State = request.app.state.vrooli
    identity = {
        "service": "jobs",
        "version": state.settings.vrooli_version or __version__,
        "environment": state.settings.vrooli_env,
    }
    if health.is_liveness(request):
        return health.alive(identity)

    async def cron() -> health.Details:
        return {"jobs": await recent_runs(state.redis)}

    async def redis() -> None:
        await state.redis.ping()

    results = await health.run(
        {"redis": redis, "database": state.schema.check, "cron": cron} | _services(state)
    )
    required = ("redis", "database", "cron")
    body = {
        **identity,
        **{name: results[name].view() for name in required},
        "services": {"nsfw-detector": results["nsfw-detector"].view()},
    }
    return health.report(body, ready=all(results[name].ok for name in required))


async def send_heartbeats(state: State) -> None:
    """Report to the server at each interval, until cancelled."""
    while True:
        results = await health.run(_services(state))
        services = {name: result.view() for name, result in results.items()}
        try:
            await heartbeat.send(state.redis, {"version": __version__, "services": services})
        except UNAVAILABLE_ERRORS as error:
            log.warning("the heartbeat could not be written: %s", error)
        await asyncio.sleep(heartbeat.INTERVAL_S)


def _services(state: State) -> dict[str, health.Check]:
    return {"nsfw-detector": state.detector.check_connection}
