"""Collect the evidence of a release and diagnose it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from vrooli.chart.manifest import Manifest
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.bundle import extras
from vrooli.diagnosis.bundle.archive import Contents
from vrooli.diagnosis.bundle.extras import More
from vrooli.diagnosis.evidence.collection import collect, collector
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import Release


async def examine(
    kube: Kube,
    release: Release,
    *,
    full: bool = False,
    manifests: Sequence[Manifest] | None = None,
    failure: str = "",
    limit_s: float = collector.LIMIT_S,
    progress: Progress | None = None,
) -> Contents:
    """Collect the evidence of a release and diagnose it.

    Args:
        kube: The cluster.
        release: The release.
        full: Whether to collect the data that only a bundle contains.
        manifests: The desired objects; None for those in Helm's record of the release.
        failure: Why a deploy failed, if that is the reason for the diagnosis.
        limit_s: The time limit of the collection, seconds.
        progress: Receives what the collection waits for.
    """
    with _uncollected():
        collected = await collect.collect(kube, release, limit_s, progress)
        evidence = (
            collected.evidence
            if manifests is None
            else replace(collected.evidence, manifests=tuple(manifests))
        )
        return Contents(
            evidence=evidence,
            diagnosis=root_cause.diagnose(evidence, catalog.ALL, collected.redactor),
            more=await extras.collect(kube, evidence) if full else More(),
            records=collected.records,
            redactor=collected.redactor,
            failure=collected.redactor.text(failure),
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable Python's garbage collector.

    All data is kept until the end: garbage collection would take half of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
