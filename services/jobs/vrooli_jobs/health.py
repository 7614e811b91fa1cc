"""GET /healthcheck of the jobs: Redis, database, detector, and the recent runs of each cron job."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response

from vrooli_jobs.cron import recent_runs
from vrooli_jobs.state import State
from vrooli_shared import __version__, beat, health
from vrooli_shared.redis_link import AWAY

log = logging.getLogger(__name__)


async def healthcheck(request: Request) -> Response:
    """Run every check at once; 503 when Redis or the database is down.

    The liveness probe is answered without any check. The detector is shown, but doesn't count:
    without it jobs wait and are tried again, and the probe of a worker should not flap with
    another pod.
    """
    state: State = request.app.state.vrooli
    head = {
        "service": "jobs",
        "version": state.settings.vrooli_version or __version__,
        "environment": state.settings.vrooli_env,
    }
    if health.is_liveness(request):
        return health.alive(head)

    async def cron() -> health.Details:
        return {"jobs": await recent_runs(state.redis)}

    async def redis() -> None:
        await state.redis.ping()

    results = await health.run(
        {"redis": redis, "database": state.schema.check, "cron": cron} | _services(state)
    )
    needed = ("redis", "database", "cron")
    body = {
        **head,
        **{name: results[name].view() for name in needed},
        "services": {"nsfw-detector": results["nsfw-detector"].view()},
    }
    return health.answer(body, ready=all(results[name].ok for name in needed))


async def keep_beating(state: State) -> None:
    """Report to the server every few seconds, until cancelled."""
    while True:
        results = await health.run(_services(state))
        services = {name: result.view() for name, result in results.items()}
        try:
            await beat.beat(state.redis, {"version": __version__, "services": services})
        except AWAY as error:
            log.warning("the heartbeat could not be written: %s", error)
        await asyncio.sleep(beat.EVERY_S)


def _services(state: State) -> dict[str, health.Check]:
    return {"nsfw-detector": state.detector.reach}
