"""GET /healthcheck: database, Redis, queue and dependent services, each with its latency."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from vrooli_server.api import state_of
from vrooli_server.state import State
from vrooli_shared import __version__, health, heartbeat
from vrooli_shared.limits import client_of

# Required to handle requests. The services behind the queue may be unavailable for a while.
REQUIRED = ("database", "redis", "queue")


async def healthcheck(request: Request) -> Response:
    """Run all checks; 503 if a required dependency is down.

    The response to the liveness probe includes no checks. The response to a request through an
    Ingress includes no errors and no details, and may be a second old. Jobs and detector are
    reported but not required: posts wait in the queue.
    """
    state = state_of(request)
    identity = {
        "service": "server",
        "version": state.settings.vrooli_version or __version__,
        "environment": state.settings.vrooli_env,
    }
    if health.is_liveness(request):
        return health.alive(identity)
    is_public = bool(client_of(request.scope))
    run = state.public_checks.run if is_public else health.run
    results = await run(_checks(state))
    services = {"jobs": results["jobs"].view()}
    services.update(services["jobs"].pop("services", {}))
    required = {name: results[name].view() for name in REQUIRED}
    degraded = any(service["status"] == "down" for service in services.values())
    ready = all(results[name].ok for name in REQUIRED)
    if is_public:
        required, services = health.public(required), health.public(services)
    body = {**identity, **required, "services": services}
    return health.report(body, ready=ready, degraded=degraded)


def _checks(state: State) -> dict[str, health.Check]:
    async def redis() -> None:
        await state.redis.ping()

    async def queue() -> health.Details:
        return {
            "queued": await state.queue.count("queued"),
            "active": await state.queue.count("active"),
        }

    async def jobs() -> health.Details:
        report = await heartbeat.fetch_last(state.redis)
        return {"age_s": report["age_s"], "services": report.get("services", {})}

    return {"database": state.schema.check, "redis": redis, "queue": queue, "jobs": jobs}
