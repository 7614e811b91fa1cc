"""The interface of checks: a check, its subject and its result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.checks import requirements
from vrooli.checks.requirements import Requirements
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import Kube
from vrooli.kube import Manifest as Body

T = TypeVar("T")

# The default timeout of a check, seconds.
LIMIT_S = 16.0


class State(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    FAILED = "failed"
    NOT_NEEDED = "not needed"
    UNKNOWN = "unknown"


class UnavailableError(VrooliError):
    """A check cannot read what it checks from here, which says nothing about its health."""


class Shared:
    """Results that several checks use, computed once."""

    def __init__(self) -> None:
        self._tasks: dict[Any, asyncio.Task[Any]] = {}

    async def get(self, key: Any, compute: Callable[[], Awaitable[T]]) -> T:
        """The result of a key; the first call computes it."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.ensure_future(_await(compute))
        # A check that reaches its limit must not cancel the others' result.
        result: T = await asyncio.shield(self._tasks[key])
        return result

    async def close(self) -> None:
        """Cancel running computations; no check waits for them any more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def _await(compute: Callable[[], Awaitable[T]]) -> T:
    return await compute()


@dataclass(frozen=True)
class Site:
    """The subject of the checks: a cluster, and the release that is to be deployed to it.

    Attributes:
        kube: The cluster.
        namespace: The release's namespace, which may not exist.
        manifests: The release's objects.
        requirements: What these objects require of a cluster.
        creates: Whether checks may create objects, in a namespace of their own.
        deep: Whether to check more than what stops a deploy.
        kind: The kind of cluster (embedded, minikube, kind, context); empty if unknown.
        loaded: Images that its nodes have, whether or not they report them.
        created_secrets: Secrets that vrooli creates before the release.
        shared: Results that several checks use.
    """

    kube: Kube
    namespace: str
    manifests: tuple[Manifest, ...]
    requirements: Requirements
    creates: bool = False
    deep: bool = False
    kind: str = ""
    loaded: frozenset[str] = frozenset()
    created_secrets: frozenset[str] = frozenset()
    shared: Shared = field(default_factory=Shared)

    @classmethod
    def of(
        cls, kube: Kube, namespace: str, manifests: tuple[Manifest, ...], **settings: Any
    ) -> Site:
        """The site of a release's objects."""
        return cls(kube, namespace, manifests, requirements.of(manifests), **settings)

    async def objects(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str | None = None
    ) -> list[Body]:
        """The objects of a kind, listed once for all checks."""
        key = (api_version, kind, namespace, labels)
        return await self.shared.get(
            key, lambda: self.kube.list(api_version, kind, namespace, labels)
        )

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The release's objects of these kinds."""
        return [item for item in self.manifests if item.kind in kinds]


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        summary: The current state, in words.
        findings: The problems.
        unavailable: What could not be read, and why.
        warnings: Manual steps that do not stop a deploy.
    """

    summary: str = ""
    findings: tuple[Finding, ...] = ()
    unavailable: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Run = Callable[[Site], Awaitable[CheckResult]]
# Why a check is not needed; empty if it is.
SkipReason = Callable[[Site], str]


def always(site: Site) -> str:
    """The skip reason of a check that every release needs."""
    del site
    return ""


@dataclass(frozen=True)
class Check:
    """One requirement of a release that a cluster must meet.

    Attributes:
        name: Short and stable, part of the JSON output.
        title: Its name for people.
        description: What it checks, in words.
        run: Runs it.
        skip_reason: Why the release does not need it; empty if it does.
        limit_s: Its timeout, seconds.
        after: Names of checks whose findings this one would repeat.
        stops_deploy: Whether a deploy runs it before it changes anything.
        of_operators: Whether it is about the operators and Vault.
        creates: The objects that it creates in a namespace of its own, in words; empty: none.
    """

    name: str
    title: str
    description: str
    run: Run
    skip_reason: SkipReason = always
    limit_s: float = LIMIT_S
    after: tuple[str, ...] = ()
    stops_deploy: bool = False
    of_operators: bool = False
    creates: str = ""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    Attributes:
        check: The check.
        state: ok, failed, not needed or unknown.
        summary: The current state, or why the check is not needed or could not run.
        findings: The problems.
        elapsed_s: Its duration, seconds.
        error: Why it could not run, if it could not.
        unavailable: What could not be read, beside the summary.
        warnings: Manual steps that do not stop a deploy.
    """

    check: Check
    state: State
    summary: str
    findings: tuple[Finding, ...] = ()
    elapsed_s: float = 0.0
    error: VrooliError | None = None
    unavailable: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
