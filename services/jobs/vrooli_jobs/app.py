"""The jobs process: SAQ's worker and an HTTP server for probes and metrics."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from saq import Worker
from starlette.applications import Starlette
from starlette.routing import Route

from vrooli_jobs.cron import cron_jobs
from vrooli_jobs.health import healthcheck, send_heartbeats
from vrooli_jobs.moderation import give_up, moderate
from vrooli_jobs.state import State, connected
from vrooli_shared.metrics import metrics
from vrooli_shared.redis_link import BLOCK_S
from vrooli_shared.settings import Settings
from vrooli_shared.tasks import cancel_all
from vrooli_shared.web import DRAIN_S, HANDLERS

log = logging.getLogger(__name__)

# Pictures that are moderated concurrently; the detector uses one core.
CONCURRENCY = 4


class QuietWorker(Worker[Any]):
    """SAQ's worker without signal handlers: uvicorn handles signals and stops the worker."""

    SIGNALS = []  # noqa: RUF012 - a constant upstream, and so here
    _upkeep: tuple[asyncio.Task[None], ...] = ()

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Start the upkeep tasks and store them, so that ``stop`` can cancel them."""
        self._upkeep = tuple(await super().upkeep())
        return list(self._upkeep)

    async def stop(self) -> None:
        """Stop after the current jobs, without waiting for the sleeps of SAQ's upkeep tasks."""
        self.event.set()
        for task in self._upkeep:
            task.cancel()
        await super().stop()

    async def process(self) -> bool:
        """Process one job; pauses if Redis is unavailable, which SAQ ignores without a delay."""
        started = asyncio.get_running_loop().time()
        done = await super().process()
        if not done and asyncio.get_running_loop().time() - started < 1.0:
            await asyncio.sleep(1.0)
        return done


def make_worker(state: State) -> QuietWorker:
    """Create the worker."""
    worker = QuietWorker(
        state.queue,
        [moderate],
        concurrency=CONCURRENCY,
        cron_jobs=cron_jobs(),
        after_process=[give_up],
        dequeue_timeout=BLOCK_S,
        shutdown_grace_period_s=DRAIN_S,
        timers={"schedule": 1, "worker_info": 10, "sweep": 20, "abort": 1},
    )
    worker.context["state"] = state
    return worker


def exit_with(worker_task: asyncio.Task[None]) -> None:
    """Exit the process if its worker ends unexpectedly, so that Kubernetes restarts it.

    Otherwise the probes would succeed although no job is processed.
    """
    log.error("the worker ended unexpectedly; exiting", exc_info=worker_task.exception())
    os.kill(os.getpid(), signal.SIGTERM)


def create_app(settings: Settings) -> Starlette:
    """Create the HTTP application, which starts and stops the worker."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connected(settings) as state:
            app.state.vrooli = state
            worker = make_worker(state)
            worker_task = asyncio.create_task(worker.start())
            worker_task.add_done_callback(exit_with)
            background_tasks = [
                asyncio.create_task(send_heartbeats(state)),
                asyncio.create_task(state.schema.run()),
            ]
            try:
                yield
            finally:
                worker_task.remove_done_callback(exit_with)
                await cancel_all(background_tasks)
                await worker.stop()
                await asyncio.gather(worker_task, return_exceptions=True)

    routes = [Route("/healthcheck", healthcheck), Route("/metrics", metrics)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=HANDLERS)
