"""What a drill injects, measures and demands. No I/O here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vrooli.errors import VrooliError
from vrooli.grammar import counted

# Limits of a release whose faulted part has others beside it, seconds without a write. Source: the
# requirements of day-2 operations: PostgreSQL 5, Redis 10.
POSTGRES_S, REDIS_S = 5.0, 10.0
# Limits where the faulted part is the only one of its kind, as in dev: its pod starts again.
ALONE_POSTGRES_S = ALONE_REDIS_S = 60.0
# How long a release may take to be healthy again, seconds.
HEAL_S = 240.0


class Scope(StrEnum):
    """What a fault affects."""

    RELEASE = "release"
    CLUSTER = "cluster"


class NotApplicableError(VrooliError):
    """A fault does not apply to a release; the message says why."""


async def nothing() -> None:
    """The undo of a fault that leaves nothing behind."""


@dataclass(frozen=True)
class Injection:
    """A fault with its targets, which is ready to be injected.

    Attributes:
        targets: What is faulted, as people read it.
        subjects: Names of resources; a diagnosis that names one of them has named the fault.
        inject: Injects it.
        is_healed: Whether what was faulted is replaced or runs again.
        undo: Puts back what was changed; can be called at any time, and twice.
        undo_command: The command with which a person puts it back, if `undo` fails.
        is_alone: Whether nothing else does the work of the targets meanwhile.
        unnoticed_s: How long nothing can notice the fault: the lease of what is frozen, seconds.
    """

    targets: tuple[str, ...]
    subjects: tuple[str, ...]
    inject: Callable[[], Awaitable[object]]
    is_healed: Callable[[], Awaitable[bool]]
    undo: Callable[[], Awaitable[object]] = nothing
    undo_command: str = ""
    is_alone: bool = False
    unnoticed_s: float = 0.0


@dataclass(frozen=True)
class Limits:
    """The most that a fault may cost; the loss of an acknowledged write always fails.

    Attributes:
        heal_s: Until all is healthy again, seconds.
        postgres_s: The longest time without an acknowledged write to PostgreSQL, seconds.
        redis_s: The same of Redis, seconds.
        failed_reads: Requests that only read and may fail; None does not limit them.
    """

    heal_s: float = HEAL_S
    postgres_s: float = POSTGRES_S
    redis_s: float = REDIS_S
    failed_reads: int | None = 0


@dataclass(frozen=True)
class RequestedLimits:
    """The limits that were requested; None takes the default, which depends on the fault."""

    heal_s: float = HEAL_S
    postgres_s: float | None = None
    redis_s: float | None = None
    failed_reads: int | None = None

    def of(self, injection: Injection) -> Limits:
        """The limits of one fault."""
        alone = injection.is_alone
        default_reads = None if alone or injection.unnoticed_s else 0
        replicated_s = POSTGRES_S + injection.unnoticed_s
        return Limits(
            self.heal_s,
            _or(self.postgres_s, ALONE_POSTGRES_S if alone else replicated_s),
            _or(self.redis_s, ALONE_REDIS_S if alone else REDIS_S),
            default_reads if self.failed_reads is None else self.failed_reads,
        )


def _or(requested: float | None, default: float) -> float:
    return default if requested is None else requested


@dataclass(frozen=True)
class Outage:
    """What the writer to a database saw.

    Attributes:
        failed: Attempts that failed.
        longest_s: The longest time without an acknowledged write, seconds.
    """

    failed: int
    longest_s: float


@dataclass(frozen=True)
class Requests:
    """The requests through the Ingress during a fault.

    Attributes:
        sent: All requests; a write that was repeated is one.
        failed_reads: Requests that only read, and failed.
        failed_writes: Attempts to write that failed; each write is repeated.
        kinds: What went wrong, by kind, and how often.
    """

    sent: int = 0
    failed_reads: int = 0
    failed_writes: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Diagnosed:
    """What diagnoses reported while the release was not healthy.

    Attributes:
        count: The number of diagnoses.
        named_s: When the first that named the fault had ended, seconds after the fault; None if
            none did.
        causes: The root causes of that diagnosis or of the last one, and what was not ready yet.
    """

    count: int = 0
    named_s: float | None = None
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What a fault cost.

    Attributes:
        healed_s: Seconds until all was healthy again without help; None: not within the limit.
        waiting: What was not healthy at the limit; empty if it healed.
        diagnosed: What diagnoses reported.
        requests: The requests through the Ingress; None without load.
        outages: What the writers saw, by database; empty without load.
        lost: Acknowledged writes that are missing, by where they went; empty without load.
    """

    healed_s: float | None
    waiting: str = ""
    diagnosed: Diagnosed = field(default_factory=Diagnosed)
    requests: Requests | None = None
    outages: Mapping[str, Outage] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)

    def problems(self, limits: Limits) -> tuple[str, ...]:
        """Which limits the fault has exceeded; empty if none."""
        return tuple(
            filter(
                None,
                (
                    self._heal_problem(limits),
                    *(self._loss_problem(store) for store in self.lost),
                    self._outage_problem("postgres", "PostgreSQL", limits.postgres_s),
                    self._outage_problem("redis", "Redis", limits.redis_s),
                    self._read_problem(limits),
                ),
            )
        )

    def _heal_problem(self, limits: Limits) -> str:
        if self.healed_s is not None:
            return ""
        waiting = f": {self.waiting}" if self.waiting else ""
        return f"it did not heal alone within {limits.heal_s:g} s{waiting}"

    def _loss_problem(self, store: str) -> str:
        lost = self.lost[store]
        return f"{counted(lost, 'acknowledged write')} of {store} lost" if lost else ""

    def _outage_problem(self, store: str, title: str, limit_s: float) -> str:
        outage = self.outages.get(store)
        if outage is None or outage.longest_s <= limit_s:
            return ""
        return f"{title} took no write for {outage.longest_s:.1f} s, the limit is {limit_s:g} s"

    def _read_problem(self, limits: Limits) -> str:
        most = limits.failed_reads
        if self.requests is None or most is None or self.requests.failed_reads <= most:
            return ""
        failed = counted(self.requests.failed_reads, "request")
        return f"{failed} that only read failed, the limit is {most}"
