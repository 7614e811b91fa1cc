"""The loop of passes: at each change of a Secret, and at intervals."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

import httpx

from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.events import Events, Waiting
from vrooli_rotator.kubernetes import Kubernetes
from vrooli_rotator.outcome import Outcome

log = logging.getLogger(__name__)

# Interval of passes during a rotation, and otherwise; seconds.
BUSY_S, IDLE_S = 2.0, 30.0
# Timeout of a pass, seconds; a switchover of Redis is the longest step.
PASS_TIMEOUT_S = 60.0
# Delay after a watch failed, seconds.
WATCH_PAUSE_S = 5.0
# Time without a completed pass after which the loop is considered hung, seconds.
STALE_S = PASS_TIMEOUT_S + 2 * IDLE_S


class Rotation(Protocol):
    """One database's rotation."""

    name: str

    async def reconcile(self) -> Outcome:
        """Perform the steps that are possible now."""


class Loop:
    """Runs the passes of one rotation."""

    def __init__(self, rotation: Rotation, events: Events) -> None:
        self._rotation = rotation
        self._events = events
        self._waiting = Waiting(events, rotation.name)
        self._changed = asyncio.Event()
        self._passed_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether a pass completed recently."""
        return time.monotonic() - self._passed_at < STALE_S

    async def run(self) -> None:
        """Reconcile until cancelled."""
        while True:
            self._changed.clear()
            is_done = await self._pass()
            self._passed_at = time.monotonic()
            try:
                async with asyncio.timeout(IDLE_S if is_done else BUSY_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def watch(self, kubernetes: Kubernetes, secret: str) -> None:
        """Start a pass at each change of a Secret, until cancelled."""
        while True:
            try:
                async for _ in kubernetes.watch("Secret", secret):
                    self._changed.set()
            except httpx.HTTPError as error:
                log.warning("the watch of the Secret %s ended: %s", secret, error)
                await asyncio.sleep(WATCH_PAUSE_S)

    async def _pass(self) -> bool:
        """Run one pass; returns whether no work remains."""
        try:
            async with asyncio.timeout(PASS_TIMEOUT_S):
                outcome = await self._rotation.reconcile()
        except WaitingError as error:
            await self._waiting.report(str(error))
            return False
        except RefusedError as error:
            await self._waiting.refuse(str(error))
            return True
        except (httpx.HTTPError, TimeoutError) as error:
            await self._waiting.report(f"Kubernetes: {error or type(error).__name__}")
            return False
        except Exception as error:
            log.exception("a pass of %s failed", self._rotation.name)
            await self._waiting.report(f"an internal error: {type(error).__name__}")
            return False
        self._waiting.clear()
        await self._record(outcome)
        return outcome is not Outcome.PUBLISHED

    async def _record(self, outcome: Outcome) -> None:
        if outcome is Outcome.PUBLISHED:
            message = f"{self._rotation.name}: the new password is published, pods restart"
            await self._events.record("CredentialsPublished", message)
        elif outcome is Outcome.COMPLETED:
            message = "every pod uses the new password, the previous one is refused"
            await self._events.record("RotationCompleted", f"{self._rotation.name}: {message}")
