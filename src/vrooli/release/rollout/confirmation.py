"""Confirm failures: report a failure after its grace period, with the container's log."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.status.missing_config import parse_missing_config
from vrooli.release import secret_redaction
from vrooli.release.rollout.crash_log import fetch_crash_log
from vrooli.release.rollout.failures import PodFailure
from vrooli.release.rollout.log_cause import find_cause_line

# Attempts to read the log of a crashed container.
LOG_ATTEMPTS = 4


class FailureConfirmer:
    """Confirms failures that last for their grace period."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        self._since: dict[str, float] = {}

    async def confirm(self, failures: Sequence[PodFailure]) -> list[str]:
        """Format the failures that are certain; empty while all may still pass.

        Args:
            failures: All current failures.
        """
        confirmed = [
            item for item in self._past_grace_period(failures) if await self._is_still_missing(item)
        ]
        return [line for item in confirmed for line in await self.format_failure(item)]

    def _past_grace_period(self, failures: Sequence[PodFailure]) -> list[PodFailure]:
        """The failures that have lasted for their grace period."""
        now, before = time.monotonic(), self._since
        # Messages change between attempts, so the container identifies the failure.
        self._since = {item.place: before.get(item.place, now) for item in failures}
        return [item for item in failures if now - self._since[item.place] >= item.grace_period_s]

    async def _is_still_missing(self, failure: PodFailure) -> bool:
        """Whether a missing Secret or key is still missing; the kubelet retries late."""
        missing = parse_missing_config(failure.message)
        if missing is None or not missing.name:
            return True
        keys = await self._keys(missing.kind, missing.name)
        return missing.key not in (keys or ()) if missing.key else keys is None

    async def _keys(self, kind: str, name: str) -> set[str] | None:
        """The keys of a Secret or ConfigMap; None if it is missing or not readable."""
        try:
            body = await self._kube.get("v1", kind, name, self._namespace)
        except VrooliError:
            return None
        return None if body is None else {*body.get("data", {}), *body.get("binaryData", {})}

    async def format_failure(self, failure: PodFailure) -> list[str]:
        """Format a failure, with the end of a crashed container's log, redacted."""
        redactor = await secret_redaction.redactor(self._kube, self._namespace)
        try:
            log = []
            if failure.crashed:
                log = await fetch_crash_log(
                    self._kube, self._namespace, failure, attempts=LOG_ATTEMPTS
                )
            cause = find_cause_line(log)
            first = f"{failure}: {cause}" if cause else str(failure)
            return [redactor.text(first), *(f"  {line}" for line in redactor.lines(log))]
        except Exception as raised:  # noqa: BLE001 - the failure is reported without its log
            note = f"  The log could not be read: {type(raised).__name__}: {raised}"
            return [redactor.text(str(failure)), redactor.text(note)]
