"""Look at everything once, what matters most first.

What can't be seen is noted and stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import yaml

from vrooli.chart.manifest import Manifest
from vrooli.diagnosis.evidence.collection import access, discovery, logs, requirements, secrets
from vrooli.diagnosis.evidence.collection.interning import Shared
from vrooli.diagnosis.evidence.model import (
    ELSEWHERE,
    Answer,
    Evidence,
    SecretFacts,
)
from vrooli.diagnosis.evidence.probes import PROBES, Probe
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Priority, RequestBudget
from vrooli.kube import Manifest as KubeManifest
from vrooli.kube import events as kube_events
from vrooli.kube.budget import ATTEMPT_S
from vrooli.kube.events import Event
from vrooli.kube.fetch import READ_S, Fetcher
from vrooli.kube.objects import MALFORMED_ERRORS, Body, Ref, dig, items, mapping, text
from vrooli.kube.reads import Through
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OPERATORS
from vrooli.operators.catalog import databases
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord

Kind = tuple[str, str]

# What belongs to the cluster as a whole.
OF_CLUSTER: Sequence[Kind] = (
    ("v1", "Node"),
    ("v1", "Namespace"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("apiregistration.k8s.io/v1", "APIService"),
)
# What the operators read, in every namespace: two releases may get in each other's way.
OF_OPERATORS: Sequence[Kind] = tuple(
    (resource.api_version, resource.kind)
    for operator in OPERATORS
    for resource in operator.resources
)
OF_RELEASE: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("coordination.k8s.io/v1", "Lease"),
)
# Where the operators, Vault and the cluster's own helpers run, and what is looked at there.
BELOW = (
    *(operator.namespace for operator in OPERATORS),
    "vault",
    "kube-system",
)
OF_BELOW: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
)

# How long a look may take unless its caller says otherwise, seconds: it ends when all is seen.
LIMIT_S = 120.0
# The share of that after which lists are given up: logs and questions need the rest.
LISTS_SHARE = 0.75
# How long one answer may take that nothing depends on, seconds.
OPTIONAL_S = 10.0
# How many questions are asked at a time, each of several pods.
PROBES_AT_ONCE = 3
# Stands for a page that didn't come.
_FAILED: list[KubeManifest] = []


@dataclass
class _Look(Fetcher):
    """What has been seen so far."""

    kube: Kube = field(kw_only=True)
    release: Release = field(kw_only=True)
    objects: dict[str, list[Body]] = field(default_factory=dict)
    records: list[ReleaseRecord] = field(default_factory=list)
    happened: list[Event] = field(default_factory=list)
    facts: dict[Ref, SecretFacts] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    shared: Shared = field(default_factory=Shared)
    budget: RequestBudget = field(default_factory=lambda: RequestBudget(LIMIT_S))

    async def kind(self, kind: Kind, namespace: str | None) -> None:
        """Note a kind's objects; a kind that the cluster doesn't have has none."""
        async for page in self._pages(kind, namespace):
            self._keep(kind, page)

    def _keep(self, kind: Kind, page: Iterable[KubeManifest]) -> None:
        bodies = self.objects.setdefault(kind[1], [])
        bodies += (self.shared.of(pruned) for item in page if (pruned := _pruned(item)) is not None)

    async def anywhere(self, kind: Kind) -> None:
        """The same in every namespace, or at least in the release's own."""
        name, home = kind[1], self.release.namespace
        await self.kind(kind, None)
        if (name, "") in self.hidden and not self.objects.get(name):
            await self.kind(kind, home)
            if (name, home) not in self.hidden:
                self.hidden.remove((name, ""))
                self.hidden |= {(name, place) for place in BELOW}

    async def elsewhere(self, kind: Kind, selector: str) -> None:
        """Note what has these labels in the namespaces that aren't looked at as a whole."""
        collected = (self.release.namespace, *BELOW)
        async for page in self._pages(kind, ELSEWHERE, labels=selector):
            others = (item for item in page if dig(item, "metadata", "namespace") not in collected)
            self._keep(kind, others)

    async def events(self, namespace: str, fields: str | None = None) -> None:
        """Note a namespace's events, or those of certain objects."""
        async for page in self._pages(("v1", "Event"), namespace, fields=fields):
            self.happened += kube_events.read(page)

    async def secrets(self, namespace: str) -> None:
        """Note what Secrets there are, and their values only to keep them out of sight."""
        async for page in self._pages(("v1", "Secret"), namespace):
            if namespace == self.release.namespace:
                records = storage.parse_records(page, self.release.name, namespace)
                self.records = storage.in_order([*self.records, *records])
            bodies = self.objects.setdefault("Secret", [])
            for item in page:
                if _pruned(item) is None:
                    continue
                secret = secrets.read(item)
                self.values += secret.values
                self.facts[secret.ref] = secret.facts
                bodies.append(secret.body)

    async def _pages(
        self, kind: Kind, where: str | None, labels: str | None = None, fields: str | None = None
    ) -> AsyncIterator[list[KubeManifest]]:
        """A kind's objects as they come; where they end too early, that is noted."""
        namespace = None if where == ELSEWHERE else where
        place = (kind[1], where or "")
        what = f"{kind[1]} in {namespace or 'other namespaces'}" if where else kind[1]
        through = self._through(what, requirements.priority(kind[1], where, self.release.namespace))
        pages = self.kube.pages(*kind, namespace, labels, fields=fields, through=through)
        while True:
            page = await self.fetch(what, self._next(pages), _FAILED, None, place=place)
            if page is None:
                return
            if page is _FAILED:
                break
            yield page
        self.hidden.add(place)

    def _through(self, what: str, priority: Priority) -> Through:
        """How a list's pages are asked for: in turn, with patience by need."""
        limit_s = ATTEMPT_S if priority is Priority.REQUIRED else OPTIONAL_S

        async def through(request: Callable[[float], Awaitable[KubeManifest]]) -> KubeManifest:
            return await self.budget.run(
                what, request, priority=priority, limit_s=limit_s, share=LISTS_SHARE
            )

        return through

    async def _next(self, pages: AsyncGenerator[list[KubeManifest]]) -> list[KubeManifest] | None:
        """The next page, or None where there is no further one, or no such kind."""
        try:
            return await anext(pages, None)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def namespace(self, namespace: str) -> None:
        """Note all that is read of a namespace."""
        async with asyncio.TaskGroup() as group:
            for kind in OF_RELEASE if namespace == self.release.namespace else OF_BELOW:
                group.create_task(self.kind(kind, namespace))
            group.create_task(self.events(namespace))
            group.create_task(self.secrets(namespace))

    def forget(self, namespace: str) -> None:
        """Drop what was found of a namespace by its labels, before all of it is read."""
        for _, kind in discovery.KINDS:
            bodies = self.objects.get(kind, [])
            bodies[:] = [item for item in bodies if dig(item, "metadata", "namespace") != namespace]

    def seen(self) -> Evidence:
        """What is known of the release so far, without what Helm noted."""
        return Evidence(
            release=self.release.name,
            namespace=self.release.namespace,
            now=datetime.now(UTC),
            objects=self.objects,
            events=kube_events.in_order(self.happened),
            secrets=self.facts,
            hidden=frozenset(self.hidden),
        )

    def wanted(self) -> tuple[Manifest, ...]:
        """The objects of the newest revision, as Helm noted them."""
        name = self.release.name
        for record in self.records:
            if record.error:
                what = f"Helm's record of revision {record.revision.number} of {name}"
                is_newest = record is self.records[-1]
                place = (requirements.HELM, name) if is_newest else ("", "")
                self.unavailable.append(Unavailable(what, record.error, place=place))
        try:
            return self.records[-1].limited_manifests() if self.records else ()
        except (*MALFORMED_ERRORS, yaml.YAMLError) as error:
            why = f"it can't be read ({type(error).__name__}: {error})"
            place = (requirements.HELM, name)
            self.unavailable.append(Unavailable(f"Helm's record of {name}", why, place=place))
            return ()


@dataclass(frozen=True)
class Collected:
    """A look at a release.

    Attributes:
        evidence: What was seen.
        redactor: Keeps what is secret in it out of what is said.
        records: Helm's records of its revisions, the oldest first.
    """

    evidence: Evidence
    redactor: Redactor
    records: tuple[ReleaseRecord, ...] = ()


async def collect(kube: Kube, release: Release) -> tuple[Evidence, Redactor]:
    """Everything that rules read about a release, and what keeps secrets out of what they say."""
    collected = await look(kube, release)
    return collected.evidence, collected.redactor


async def look(
    kube: Kube, release: Release, limit_s: float = LIMIT_S, progress: Progress | None = None
) -> Collected:
    """The same with Helm's notes of earlier revisions.

    Args:
        kube: The cluster.
        release: Which release.
        limit_s: How long it may take, seconds.
        progress: Told what is waited for.
    """
    look = _Look(kube=kube, release=release, budget=RequestBudget(limit_s))
    async with look.budget.reporting(progress or Progress()):
        return await _look(look)


async def _look(look: _Look) -> Collected:
    home = look.release.namespace
    async with asyncio.TaskGroup() as group:
        group.create_task(look.namespace(home))
        for kind in OF_OPERATORS:
            group.create_task(look.anywhere(kind))
        for namespace in BELOW:
            group.create_task(look.namespace(namespace))
        for kind in OF_CLUSTER:
            group.create_task(look.kind(kind, None))
        for kind, selectors in discovery.KINDS.items():
            for selector in selectors:
                group.create_task(look.elsewhere(kind, selector))
        if home != discovery.OF_NODES[0]:
            group.create_task(look.events(*discovery.OF_NODES))
    for namespace in discovery.of_vault(look.seen(), (home, *BELOW)):
        look.forget(namespace)
        await look.namespace(namespace)
    last = look.records[-1] if look.records else None
    manifests, helm = look.wanted(), last.revision if last else Revision()
    evidence = await _fetch_rest(look, replace(look.seen(), manifests=manifests, helm=helm))
    return Collected(evidence, Redactor(look.values), tuple(look.records))


async def _fetch_rest(look: _Look, evidence: Evidence) -> Evidence:
    """What must be asked once it is known whom: logs, and the probes' questions."""
    async with asyncio.TaskGroup() as group:
        lines = group.create_task(logs.read(look.kube, evidence, look.budget))
        evidence = replace(
            evidence, closed=await access.closed(look.kube, evidence, look, look.budget)
        )
        answers = await _run_probes(look, evidence)
    read, unread = lines.result()
    silent = requirements.silent(answers)
    unavailable = (*look.unavailable, *access.unavailable(evidence), *silent, *unread)
    return replace(evidence, logs=read, answers=tuple(answers), unavailable=unavailable)


async def _run_probes(look: _Look, evidence: Evidence) -> list[Answer]:
    """The answers to all questions, those that are needed asked first."""
    free = asyncio.Semaphore(PROBES_AT_ONCE)

    async def one(name: str, probe: Probe) -> Sequence[Answer]:
        is_needed = name in requirements.PROBES
        async with free:
            limit_s = max(READ_S, look.budget.remaining_s()) if is_needed else READ_S
            place = (requirements.PROBE, name)
            return await look.fetch(
                f"probe {name}", probe(look.kube, evidence), [], limit_s, place=place
            )

    ordered = sorted(PROBES.items(), key=lambda item: item[0] not in requirements.PROBES)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name, probe)) for name, probe in ordered]
    return [answer for task in tasks for answer in task.result()]


def _pruned(item: Body) -> dict[str, Any] | None:
    """An object without what nobody reads; None where it has not even a name."""
    metadata = mapping(item, "metadata")
    if not isinstance(metadata.get("name"), str):
        return None
    slim = {name: value for name, value in metadata.items() if name != "managedFields"}
    if item.get("kind") in databases():
        slim["managedFields"] = _times(metadata)
    return {**item, "metadata": slim}


def _times(metadata: Body) -> list[dict[str, str]]:
    """When each manager last changed an object, or only its status."""
    return [
        {name: text(entry, name) for name in ("time", "subresource")}
        for entry in items(metadata, "managedFields")
    ]
