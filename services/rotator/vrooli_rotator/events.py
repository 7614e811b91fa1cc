"""Events of Kubernetes on this program's Deployment: what a rotation does and waits for."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from vrooli_rotator.kubernetes import Kubernetes

log = logging.getLogger(__name__)

REPORTER = "vrooli.com/rotator"
# What is waited for becomes a warning after so long, and again after so long; seconds.
WARN_AFTER_S, REPEAT_S = 60.0, 600.0
# The API's limit of a note, characters.
NOTE_LIMIT = 1024


class Events:
    """Records events; one that can't be written is only logged."""

    def __init__(self, kubernetes: Kubernetes, deployment: str) -> None:
        self._kubernetes = kubernetes
        self._deployment = deployment

    async def record(self, reason: str, note: str, *, warning: bool = False) -> None:
        """Write one event."""
        log.log(logging.WARNING if warning else logging.INFO, "%s: %s", reason, note)
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
            "note": note[:NOTE_LIMIT],
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
    """Turns a reason that lasts into a warning, and says each change in the log."""

    def __init__(self, events: Events, subject: str) -> None:
        self._events = events
        self._subject = subject
        self._reason = ""
        self._since = 0.0
        self._warned_at = 0.0

    async def note(self, reason: str) -> None:
        """The rotation waits for this now."""
        now = time.monotonic()
        if not self._reason:
            self._since, self._warned_at = now, 0.0
        if reason != self._reason:
            log.info("%s: waiting: %s", self._subject, reason)
            self._reason = reason
        lasts = now - self._since
        if lasts >= WARN_AFTER_S and (not self._warned_at or now - self._warned_at >= REPEAT_S):
            self._warned_at = now
            note = f"{self._subject}: waiting for {lasts:.0f} s: {reason}"
            await self._events.record("RotationWaiting", note, warning=True)

    async def refuse(self, reason: str) -> None:
        """The new value can't be used; said once for each reason."""
        if reason != self._reason:
            self._reason, self._since = reason, time.monotonic()
            await self._events.record("RotationFailed", f"{self._subject}: {reason}", warning=True)

    def clear(self) -> None:
        """Nothing is waited for."""
        self._reason = ""
