"""The result of drills."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from vrooli.workflows.results.base import Model, Result

# The outcomes of a fault, and those that make the command fail.
PASSED, FAILED, NOT_APPLICABLE, NOT_RUN = "passed", "failed", "not applicable", "not run"
BAD = (FAILED, NOT_RUN)


class OutageView(Model):
    """What the writer to a database saw during a fault."""

    failed: int = Field(description="attempts to write that failed")
    longest_s: float = Field(
        description="the longest time without an acknowledged write, in seconds"
    )
    limit_s: float = Field(description="the limit of that time, in seconds")


class RequestsView(Model):
    """The requests through the Ingress during a fault."""

    sent: int = Field(description="all requests; a write that was repeated is one")
    failed_reads: int = Field(description="requests that only read, and failed")
    failed_writes: int = Field(description="attempts to write that failed; writes are repeated")
    failed_reads_limit: int | None = Field(
        description="how many that only read may fail; null does not limit them"
    )
    kinds: Mapping[str, int] = Field(description="what went wrong, by kind, and how often")


class DrillView(Model):
    """One fault and what it cost."""

    fault: str = Field(description="the name of the fault")
    title: str = Field(description="the fault, for people")
    scope: str = Field(
        description="what the fault affects: release, or cluster with all releases in it"
    )
    outcome: str = Field(
        description="passed, failed, not applicable, or not run because the one before it left the "
        "release unhealthy"
    )
    reasons: tuple[str, ...] = Field(
        default=(), description="which limits were exceeded, or why the fault does not apply"
    )
    targets: tuple[str, ...] = Field(default=(), description="what was faulted")
    elapsed_s: float = Field(default=0.0, description="the duration of the drill, in seconds")
    healed_s: float | None = Field(
        default=None,
        description="the time until all was healthy again without help, in seconds; null if it was "
        "not within the limit",
    )
    help_needed: bool = Field(
        default=False, description="whether the drill had to put back the fault for it to heal"
    )
    diagnoses: int = Field(default=0, description="the diagnoses until it was named or healed")
    named_s: float | None = Field(
        default=None,
        description="the time until a diagnosis named the fault, in seconds; null if none did",
    )
    causes: tuple[str, ...] = Field(
        default=(),
        description="the root causes that the diagnosis reported, and what was not ready yet",
    )
    requests: RequestsView | None = Field(
        default=None, description="the requests; null without --load"
    )
    outages: Mapping[str, OutageView] = Field(
        default={}, description="the writes to postgres and redis; empty without --load"
    )
    lost: Mapping[str, int] = Field(
        default={},
        description="acknowledged writes that are missing: of postgres, redis, and posts",
    )


class DrillResult(Result):
    """The result of drill."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    loaded: bool = Field(description="whether the release was under load")
    elapsed_s: float = Field(description="the duration of the command, in seconds")
    removed: tuple[str, ...] = Field(
        default=(), description="what an earlier drill had left, and was removed"
    )
    drills: tuple[DrillView, ...] = Field(description="the faults, in the order of injection")
