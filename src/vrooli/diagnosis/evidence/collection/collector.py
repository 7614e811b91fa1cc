"""Read the cluster for a diagnosis: lists, events and Secrets, within a budget.

A resource that cannot be read is recorded and stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import yaml

from vrooli.chart.manifest import Manifest
from vrooli.diagnosis.evidence.collection import discovery, kinds, requirements, secrets
from vrooli.diagnosis.evidence.collection.interning import Shared
from vrooli.diagnosis.evidence.model import (
    OTHER_NAMESPACES,
    Evidence,
    SecretFacts,
)
from vrooli.kube import ApiError, Kube, Priority, RequestBudget
from vrooli.kube import Manifest as KubeManifest
from vrooli.kube import events as kube_events
from vrooli.kube.budget import ATTEMPT_S
from vrooli.kube.events import Event
from vrooli.kube.fetch import Fetcher
from vrooli.kube.objects import MALFORMED_ERRORS, Body, Ref, dig, items, mapping, text
from vrooli.kube.reads import Through
from vrooli.kube.unavailable import Unavailable
from vrooli.operators.catalog import databases
from vrooli.release import Release
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord

# The time limit of a collection unless the caller sets another one, seconds.
LIMIT_S = 120.0
# The share of that limit after which lists are abandoned: logs and probes need the rest.
LISTS_SHARE = 0.75
# The time limit of a request that nothing depends on, seconds.
OPTIONAL_S = 10.0
# Stands for a page that could not be read.
_FAILED: list[KubeManifest] | None = []


@dataclass
class Collector(Fetcher):
    """Reads the objects of a release page by page and keeps what was read."""

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

    async def kind(self, kind: kinds.Kind, namespace: str | None) -> None:
        """Read the objects of a kind; a kind that the cluster does not have is empty."""
        async for page in self._pages(kind, namespace):
            self._add(kind, page)

    def _add(self, kind: kinds.Kind, page: Iterable[KubeManifest]) -> None:
        bodies = self.objects.setdefault(kind[1], [])
        bodies += (self.shared.of(pruned) for item in page if (pruned := _pruned(item)) is not None)

    async def anywhere(self, kind: kinds.Kind) -> None:
        """Read a kind in every namespace, or in that of the release if the first is denied."""
        name, home = kind[1], self.release.namespace
        await self.kind(kind, None)
        if (name, "") in self.hidden and not self.objects.get(name):
            await self.kind(kind, home)
            if (name, home) not in self.hidden:
                self.hidden.remove((name, ""))
                self.hidden |= {(name, place) for place in kinds.BELOW}

    async def in_other_namespaces(self, kind: kinds.Kind, selector: str) -> None:
        """Read objects by label in the namespaces that are not read completely."""
        collected = (self.release.namespace, *kinds.BELOW)
        async for page in self._pages(kind, OTHER_NAMESPACES, labels=selector):
            others = (item for item in page if dig(item, "metadata", "namespace") not in collected)
            self._add(kind, others)

    async def events(self, namespace: str, fields: str | None = None) -> None:
        """Read the events of a namespace, or those that match a field selector."""
        async for page in self._pages(("v1", "Event"), namespace, fields=fields):
            self.happened += kube_events.parse_events(page)

    async def secrets(self, namespace: str) -> None:
        """Read Secrets; their values are kept only to redact them."""
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
        self,
        kind: kinds.Kind,
        where: str | None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> AsyncIterator[list[KubeManifest]]:
        """Yield the objects of a kind page by page; an incomplete list is recorded."""
        namespace = None if where == OTHER_NAMESPACES else where
        place = (kind[1], where or "")
        what = f"{kind[1]} in {namespace or 'other namespaces'}" if where else kind[1]
        through = self._through(what, requirements.priority(kind[1], where, self.release.namespace))
        pages = self.kube.pages(*kind, namespace, labels, fields=fields, through=through)
        while True:
            page = await self.fetch(what, partial(self._next, pages), _FAILED, None, place=place)
            if page is None:
                return
            if page is _FAILED:
                break
            yield page
        self.hidden.add(place)

    def _through(self, what: str, priority: Priority) -> Through:
        """How the pages of a list are requested: within the budget, by priority."""
        limit_s = ATTEMPT_S if priority is Priority.REQUIRED else OPTIONAL_S

        async def through(request: Callable[[float], Awaitable[KubeManifest]]) -> KubeManifest:
            return await self.budget.run(
                what, request, priority=priority, limit_s=limit_s, share=LISTS_SHARE
            )

        return through

    async def _next(self, pages: AsyncGenerator[list[KubeManifest]]) -> list[KubeManifest] | None:
        """The next page; None after the last one, or if the kind does not exist."""
        try:
            return await anext(pages, None)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def namespace(self, namespace: str) -> None:
        """Read all kinds, events and Secrets of a namespace."""
        async with asyncio.TaskGroup() as group:
            for kind in kinds.OF_RELEASE if namespace == self.release.namespace else kinds.OF_BELOW:
                group.create_task(self.kind(kind, namespace))
            group.create_task(self.events(namespace))
            group.create_task(self.secrets(namespace))

    def forget(self, namespace: str) -> None:
        """Drop the objects of a namespace that were read by label, before all of it is read."""
        for _, kind in discovery.KINDS:
            bodies = self.objects.get(kind, [])
            bodies[:] = [item for item in bodies if dig(item, "metadata", "namespace") != namespace]

    def evidence(self) -> Evidence:
        """The evidence so far, without Helm's record."""
        return Evidence(
            release=self.release.name,
            namespace=self.release.namespace,
            now=datetime.now(UTC),
            objects=self.objects,
            events=kube_events.sort_events(self.happened),
            secrets=self.facts,
            hidden=frozenset(self.hidden),
        )

    def manifests(self) -> tuple[Manifest, ...]:
        """The objects in Helm's record of the newest revision."""
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


def _pruned(item: Body) -> dict[str, Any] | None:
    """An object without unused fields; None if it has no name."""
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
