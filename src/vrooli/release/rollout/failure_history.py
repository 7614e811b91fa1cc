"""What was observed of a rollout until now, which decides which failures count. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from vrooli.chart.manifest import Manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout import context, failures, refusals
from vrooli.release.rollout.context import EPOCH, RolloutContext
from vrooli.release.rollout.failures import PodFailure


class FailureHistory:
    """Finds the failures in each snapshot of a rollout.

    Args:
        manifests: The objects of the release.
        began: When the rollout began.

    Attributes:
        settled: Since when all dependencies have been ready; None if they are not.
        earlier_ends: The exits of containers in pods from before the rollout.
    """

    def __init__(self, manifests: tuple[Manifest, ...], began: datetime) -> None:
        self._manifests, self._began = manifests, began
        self.settled: datetime | None = EPOCH
        self.earlier_ends: dict[tuple[str, str], int] = {}
        # The Secrets of Vault that were awaited, and since when the synced ones exist.
        self._awaited: set[str] = set()
        self._filled: dict[str, datetime] = {}

    def find(self, snapshot: Snapshot, errors: Mapping[str, str]) -> list[PodFailure]:
        """All current failures, confirmed or not.

        Args:
            snapshot: The newest snapshot.
            errors: Errors in the operators' logs, by kind and name.
        """
        now = datetime.now(UTC)
        where = self._observe(snapshot, now)
        return [
            *failures.find_failures(snapshot.pods(), now, where),
            *refusals.find_refusals(where),
            *(refusals.build_failure(name, reason) for name, reason in errors.items()),
        ]

    def _observe(self, snapshot: Snapshot, now: datetime) -> RolloutContext:
        """Add a snapshot to the history."""
        if not context.is_settled(self._manifests, snapshot):
            self.settled = None
        elif self.settled is None:
            self.settled = now
        pods = snapshot.pods()
        self.earlier_ends |= failures.earlier_ends(pods, self._began, self.earlier_ends)
        unfilled = context.unfilled(self._manifests, snapshot)
        self._filled = {
            name: self._filled.get(name, now) for name in (self._awaited | unfilled) - unfilled
        }
        self._awaited |= unfilled
        return RolloutContext(
            self._manifests, snapshot, self.settled, self._began, self.earlier_ends, self._filled
        )
