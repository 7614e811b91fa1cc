"""Kubernetes events on the rotator's Deployment: progress of a rotation and reasons for waiting."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from vrooli_rotator.kubernetes import Kubernetes

log = logging.getLogger(__name__)

REPORTER = "vrooli.com/rotator"
# A reason for waiting becomes a warning after the first delay, repeated after the second; seconds.
WARN_AFTER_S, REPEAT_S = 60.0, 600.0
# Maximum length of an event's note, characters.
MESSAGE_LIMIT = 1024


class Events:
    """Records events; a failure to write one is only logged."""

    def __init__(self, kubernetes: Kubernetes, deployment: str) -> None:
        self._kubernetes = kubernetes
        self._deployment = deployment

    async def record(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Write one event."""
        log.log(logging.WARNING if warning else logging.INFO, "%s: %s", reason, message)
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{self._deployment}.{uuid4().hex[:16]}"},
            "eventTime": datetime.now(UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            "reportingController": REPORTER,
            "reportingInstance": self._deployment,
            "action": "Rotate",
            "reason": reason,
            "type": "Warning" if warning else "Normal",
            "note": message[:MESSAGE_LIMIT],
            "regarding": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": self._deployment,
                "namespace": self._kubernetes.namespace,
            },
        }
        try:
            await self._kubernetes.create("Event", body)
        except httpx.HTTPError as error:
            log.warning("an event could not be written: %s", error)


class Waiting:
    """Logs each change of the reason, and records a warning if the reason persists."""

    def __init__(self, events: Events, subject: str) -> None:
        self._events = events
        self._subject = subject
        self._reason = ""
        self._since = 0.0
        self._warned_at = 0.0

    async def report(self, reason: str) -> None:
        """Report the current reason for waiting."""
        now = time.monotonic()
        if not self._reason:
            self._since, self._warned_at = now, 0.0
        if reason != self._reason:
            log.info("%s: waiting: %s", self._subject, reason)
            self._reason = reason
        duration_s = now - self._since
        if duration_s >= WARN_AFTER_S and (
            not self._warned_at or now - self._warned_at >= REPEAT_S
        ):
            self._warned_at = now
            message = f"{self._subject}: waiting for {duration_s:.0f} s: {reason}"
            await self._events.record("RotationWaiting", message, warning=True)

    async def refuse(self, reason: str) -> None:
        """Report that the new value can't be used, once for each reason."""
        if reason != self._reason:
            self._reason, self._since = reason, time.monotonic()
            await self._events.record("RotationFailed", f"{self._subject}: {reason}", warning=True)

    def clear(self) -> None:
        """Report that the rotation no longer waits."""
        self._reason = ""
