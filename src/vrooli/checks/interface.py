"""What a check is, what it looks at, and what it gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from vrooli.chart.manifest import Manifest
from vrooli.checks import requirements
from vrooli.checks.requirements import Needs
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import Kube
from vrooli.kube import Manifest as Body

T = TypeVar("T")

# How long one check may take unless it says otherwise, seconds.
LIMIT_S = 16.0


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_NEEDED = "not needed"
    UNKNOWN = "unknown"


class UnseenError(VrooliError):
    """What a check wants to look at can't be seen from here; says nothing of how it is."""


class Shared:
    """What several checks ask for at once is asked for once."""

    def __init__(self) -> None:
        self._tasks: dict[Any, asyncio.Task[Any]] = {}

    async def get(self, key: Any, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` gives, made by the first who asks for that key."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.ensure_future(_made(make))
        # One whose time is over must not take it from the others.
        found: T = await asyncio.shield(self._tasks[key])
        return found

    async def close(self) -> None:
        """End what still goes on; nobody waits for it any more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def _made(make: Callable[[], Awaitable[T]]) -> T:
    return await make()


@dataclass(frozen=True)
class Site:
    """What the checks look at: a cluster, and what is to go there.

    Attributes:
        kube: The cluster.
        namespace: Where the release goes; need not be there.
        manifests: The release's objects.
        needs: What these objects need.
        creates: Whether checks may make objects, in a namespace of their own.
        deep: Whether to look further than what stops a deploy.
        kind: The kind of cluster (embedded, minikube, kind, context); empty where unknown.
        loaded: Images that its nodes have, whether or not they tell of them.
        shared: What several checks look at.
    """

    kube: Kube
    namespace: str
    manifests: tuple[Manifest, ...]
    needs: Needs
    creates: bool = False
    deep: bool = False
    kind: str = ""
    loaded: frozenset[str] = frozenset()
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
        """The objects of a kind; asked for once, however many checks look at them."""
        key = (api_version, kind, namespace, labels)
        return await self.shared.get(
            key, lambda: self.kube.list(api_version, kind, namespace, labels)
        )

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The release's objects of these kinds."""
        return [item for item in self.manifests if item.kind in kinds]


@dataclass(frozen=True)
class Seen:
    """What a check saw.

    Attributes:
        found: What is there, in words.
        findings: What isn't as it should be.
        unseen: What could not be seen of it, and why.
        warnings: What a person has to do about it, though it stops nothing.
    """

    found: str = ""
    findings: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Look = Callable[[Site], Awaitable[Seen]]
# Why a check isn't needed; empty when it is.
Needless = Callable[[Site], str]


def always(site: Site) -> str:
    """For what every release needs."""
    del site
    return ""


@dataclass(frozen=True)
class Check:
    """One thing that a release needs of a cluster.

    Attributes:
        name: Short and stable, part of the JSON output.
        title: What a person reads.
        looks_at: What it looks at, in words.
        look: Looks.
        needless: Says why the release doesn't need it; empty when it does.
        limit_s: How long it may take, seconds.
        after: Names of checks whose findings would be this one's, too.
        stops_deploy: Whether a deploy looks at it before it touches anything.
        of_operators: Whether it is about what the operators and Vault give.
        creates: What it makes in a namespace of its own, in words; empty: nothing.
    """

    name: str
    title: str
    looks_at: str
    look: Look
    needless: Needless = always
    limit_s: float = LIMIT_S
    after: tuple[str, ...] = ()
    stops_deploy: bool = False
    of_operators: bool = False
    creates: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    Attributes:
        check: The check.
        state: ok, failed, not needed or unknown.
        found: What was found, or why it isn't needed or could not be seen.
        findings: What isn't as it should be.
        elapsed_s: How long it took, seconds.
        error: What kept it from looking, if anything did.
        unseen: What of it could not be seen, beside what was found.
        warnings: What a person has to do about it, though it stops nothing.
    """

    check: Check
    state: State
    found: str
    findings: tuple[Finding, ...] = ()
    elapsed_s: float = 0.0
    error: VrooliError | None = None
    unseen: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
