"""The rotator process: its loops and the health check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.events import Events
from vrooli_rotator.kubernetes import Kubernetes, in_cluster_client
from vrooli_rotator.loop import Loop
from vrooli_rotator.postgres import Database, PostgresRotation
from vrooli_rotator.redis_rotation import Failover, RedisRotation
from vrooli_rotator.secrets import Secrets
from vrooli_rotator.settings import Settings
from vrooli_shared.tasks import cancel_all


def create_app(settings: Settings) -> Starlette:
    """Create the application, which runs the rotations that the settings enable."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with in_cluster_client() as client, asyncio.TaskGroup() as group:
            kubernetes = Kubernetes(client, settings.namespace)
            loops = make_loops(settings, kubernetes)
            app.state.loops = list(loops)
            tasks = [group.create_task(loop.run()) for loop in loops]
            tasks += [
                group.create_task(loop.watch(kubernetes, name))
                for loop, names in loops.items()
                for name in names
            ]
            yield
            await cancel_all(tasks)

    return Starlette(routes=[Route("/healthcheck", healthcheck)], lifespan=lifespan)


async def healthcheck(request: Request) -> JSONResponse:
    """GET /healthcheck: 200 if every loop completed a pass recently."""
    is_alive = all(loop.is_alive for loop in request.app.state.loops)
    return JSONResponse({"status": "up" if is_alive else "down"}, 200 if is_alive else 503)


def make_loops(settings: Settings, kubernetes: Kubernetes) -> dict[Loop, tuple[str, str]]:
    """A loop for each configured database, with the Secrets whose changes start a pass."""
    secrets = Secrets(kubernetes, settings.state_secret)
    consumers = Consumers(kubernetes, settings.consumer_names())
    events = Events(kubernetes, settings.deployment)
    loops: dict[Loop, tuple[str, str]] = {}
    if settings.postgres_secret:
        database = Database(
            cluster=settings.postgres_cluster,
            user=settings.postgres_user,
            name=settings.postgres_database,
            host=settings.postgres_host,
            port=settings.postgres_port,
            source=settings.postgres_source,
            published=settings.postgres_secret,
        )
        postgres = PostgresRotation(database, secrets, consumers, settings.state_secret)
        loops[Loop(postgres, events)] = database.source, database.published
    if settings.redis_secret:
        failover = Failover(
            name=settings.redis_failover,
            replicas=settings.redis_replicas,
            sentinels=settings.redis_sentinels,
            source=settings.redis_source,
            published=settings.redis_secret,
            is_persistent=settings.redis_persistent,
        )
        redis = RedisRotation(failover, kubernetes, secrets, consumers, settings.state_secret)
        loops[Loop(redis, events)] = failover.source, failover.published
    return loops
