"""Collect the evidence of a release once, the required data first."""

from __future__ import annotations

import asyncio
from collections.abc import (
    Sequence,
)
from dataclasses import dataclass, replace
from functools import partial

from vrooli.diagnosis.evidence.collection import access, discovery, kinds, logs, requirements
from vrooli.diagnosis.evidence.collection.collector import LIMIT_S, Collector
from vrooli.diagnosis.evidence.model import (
    Answer,
    Evidence,
)
from vrooli.diagnosis.evidence.probes import PROBES, Probe
from vrooli.events import Progress
from vrooli.kube import Kube, RequestBudget
from vrooli.kube.fetch import READ_S
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.model import Revision
from vrooli.release.records.storage import ReleaseRecord
from vrooli.secrets.names import Names

# How many probes run concurrently, each on several pods.
PROBES_AT_ONCE = 3


@dataclass(frozen=True)
class Collected:
    """The collected data of a release.

    Attributes:
        evidence: The evidence.
        redactor: Redacts the values of the Secrets.
        records: Helm's records of the revisions, the oldest first.
    """

    evidence: Evidence
    redactor: Redactor
    records: tuple[ReleaseRecord, ...] = ()


async def collect(
    kube: Kube, release: Release, limit_s: float = LIMIT_S, progress: Progress | None = None
) -> Collected:
    """Collect the evidence of a release, the required data first.

    Args:
        kube: The cluster.
        release: The release.
        limit_s: The time limit, seconds.
        progress: Receives what the collection waits for.
    """
    collector = Collector(kube=kube, release=release, budget=RequestBudget(limit_s))
    async with collector.budget.reporting(progress or Progress()):
        return await _collect(collector)


async def _collect(collector: Collector) -> Collected:
    home = collector.release.namespace
    async with asyncio.TaskGroup() as group:
        group.create_task(collector.namespace(home))
        for kind in kinds.OF_OPERATORS:
            group.create_task(collector.anywhere(kind))
        for namespace in kinds.BELOW:
            group.create_task(collector.namespace(namespace))
        for kind in kinds.OF_CLUSTER:
            group.create_task(collector.kind(kind, None))
        for kind, selectors in discovery.KINDS.items():
            for selector in selectors:
                group.create_task(collector.in_other_namespaces(kind, selector))
        if home != discovery.OF_NODES[0]:
            group.create_task(collector.events(*discovery.OF_NODES))
    for namespace in discovery.of_vault(collector.evidence(), (home, *kinds.BELOW)):
        collector.forget(namespace)
        await collector.namespace(namespace)
    last = collector.records[-1] if collector.records else None
    manifests, helm = collector.manifests(), last.revision if last else Revision()
    names = Names.of(last.values) if last else Names()
    recorded = replace(collector.evidence(), manifests=manifests, helm=helm, names=names)
    evidence = await _fetch_rest(collector, recorded)
    return Collected(evidence, Redactor(collector.values), tuple(collector.records))


async def _fetch_rest(collector: Collector, evidence: Evidence) -> Evidence:
    """Read the logs and run the probes, which depend on the objects."""
    async with asyncio.TaskGroup() as group:
        reading = logs.read(collector.kube, evidence, collector.budget)
        lines = group.create_task(reading)
        evidence = replace(
            evidence,
            closed=await access.closed(collector.kube, evidence, collector, collector.budget),
        )
        answers = await _run_probes(collector, evidence)
    read, unread = lines.result()
    silent = requirements.silent(answers)
    unavailable = (*collector.unavailable, *access.unavailable(evidence), *silent, *unread)
    return replace(evidence, logs=read, answers=tuple(answers), unavailable=unavailable)


async def _run_probes(collector: Collector, evidence: Evidence) -> list[Answer]:
    """Run all probes, the required ones first."""
    free = asyncio.Semaphore(PROBES_AT_ONCE)

    async def one(name: str, probe: Probe) -> Sequence[Answer]:
        is_needed = name in requirements.PROBES
        async with free:
            limit_s = max(READ_S, collector.budget.remaining_s()) if is_needed else READ_S
            place = (requirements.PROBE, name)
            run = partial(probe, collector.kube, evidence)
            return await collector.fetch(f"probe {name}", run, [], limit_s, place=place)

    ordered = sorted(PROBES.items(), key=lambda item: item[0] not in requirements.PROBES)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name, probe)) for name, probe in ordered]
    return [answer for task in tasks for answer in task.result()]
