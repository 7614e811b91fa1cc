"""GET /healthcheck: database, Redis, queue and the services behind it, each with its latency."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from vrooli_server.api import state_of
from vrooli_server.state import State
from vrooli_shared import __version__, beat, health

# Without these a request can't be answered; what is behind the queue may be away for a while.
NEEDED = ("database", "redis", "queue")


async def healthcheck(request: Request) -> Response:
    """Run every check at once; 503 when one that the server needs is down.

    The liveness probe is answered without any check. Jobs and detector are shown too, but the
    server answers without them: posts wait in the queue.
    """
    state = state_of(request)
    head = {
        "service": "server",
        "version": state.settings.vrooli_version or __version__,
        "environment": state.settings.vrooli_env,
    }
    if health.is_liveness(request):
        return health.alive(head)
    results = await health.run(_checks(state))
    services = {"jobs": results["jobs"].view()}
    services.update(services["jobs"].pop("services", {}))
    body = {
        **head,
        **{name: results[name].view() for name in NEEDED},
        "services": services,
    }
    degraded = any(service["status"] == "down" for service in services.values())
    ready = all(results[name].ok for name in NEEDED)
    return health.answer(body, ready=ready, degraded=degraded)


def _checks(state: State) -> dict[str, health.Check]:
    async def redis() -> None:
        await state.redis.ping()

    async def queue() -> health.Details:
        return {
            "queued": await state.queue.count("queued"),
            "active": await state.queue.count("active"),
        }

    async def jobs() -> health.Details:
        report = await beat.last(state.redis)
        return {"age_s": report["age_s"], "services": report.get("services", {})}

    return {"database": state.schema.check, "redis": redis, "queue": queue, "jobs": jobs}
