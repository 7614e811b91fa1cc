"""The jobs process: SAQ's worker, and beside it the HTTP side for probes."""

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
from vrooli_jobs.health import healthcheck, keep_beating
from vrooli_jobs.moderation import give_up, moderate
from vrooli_jobs.state import State, connected
from vrooli_shared.metrics import metrics
from vrooli_shared.redis_link import BLOCK_S
from vrooli_shared.settings import Settings
from vrooli_shared.tasks import cancel_all
from vrooli_shared.web import DRAIN_S, HANDLERS

log = logging.getLogger(__name__)

# Pictures that are looked at at once; the detector uses one core.
CONCURRENCY = 4


class QuietWorker(Worker[Any]):
    """SAQ's worker without signal handlers: uvicorn has them, and ends both sides in order."""

    SIGNALS = []  # noqa: RUF012 - a constant upstream, and so here
    _upkeep: tuple[asyncio.Task[None], ...] = ()

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Start the upkeep and remember its tasks, which ``stop`` must wake."""
        self._upkeep = tuple(await super().upkeep())
        return list(self._upkeep)

    async def stop(self) -> None:
        """End the worker once its jobs have ended; SAQ alone would sleep its pauses out."""
        self.event.set()
        for task in self._upkeep:
            task.cancel()
        await super().stop()

    async def process(self) -> bool:
        """Handle one job; SAQ passes over a lost Redis without a word and without a pause."""
        started = asyncio.get_running_loop().time()
        done = await super().process()
        if not done and asyncio.get_running_loop().time() - started < 1.0:
            await asyncio.sleep(1.0)
        return done


def make_worker(state: State) -> QuietWorker:
    """The worker over the process's connections."""
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


def end_with(working: asyncio.Task[None]) -> None:
    """End the process when its worker has ended by itself: Kubernetes starts both anew.

    Without a worker the probes would go on to pass while no job is done.
    """
    log.error("the worker has ended, and so does the process", exc_info=working.exception())
    os.kill(os.getpid(), signal.SIGTERM)


def create_app(settings: Settings) -> Starlette:
    """The HTTP side; its start and end are the worker's."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connected(settings) as state:
            app.state.vrooli = state
            worker = make_worker(state)
            working = asyncio.create_task(worker.start())
            working.add_done_callback(end_with)
            beside = [
                asyncio.create_task(keep_beating(state)),
                asyncio.create_task(state.schema.run()),
            ]
            try:
                yield
            finally:
                working.remove_done_callback(end_with)
                await cancel_all(beside)
                await worker.stop()
                await asyncio.gather(working, return_exceptions=True)

    routes = [Route("/healthcheck", healthcheck), Route("/metrics", metrics)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=HANDLERS)
