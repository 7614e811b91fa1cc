"""One look at a release, and what is made of it: for a person, and after a failed deploy."""

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
from vrooli.diagnosis.evidence import collect
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import Release


async def examine(
    kube: Kube,
    release: Release,
    *,
    everything: bool = False,
    wanted: Sequence[Manifest] | None = None,
    failure: str = "",
    limit_s: float = collect.LIMIT_S,
    progress: Progress | None = None,
) -> Contents:
    """Look at a release and judge it.

    Args:
        kube: The cluster.
        release: Which release.
        everything: Whether what only a bundle holds is looked at, too.
        wanted: The objects that it should have; without them those that Helm noted.
        failure: Why it is looked at, where a deploy failed.
        limit_s: How long looking may take, seconds; it ends when all is seen.
        progress: Told what is waited for.
    """
    with _uncollected():
        found = await collect.look(kube, release, limit_s, progress)
        seen = found.evidence if wanted is None else replace(found.evidence, wanted=tuple(wanted))
        return Contents(
            evidence=seen,
            diagnosis=root_cause.diagnose(seen, catalog.ALL, found.redactor),
            more=await extras.look(kube, seen) if everything else More(),
            records=found.records,
            redactor=found.redactor,
            failure=found.redactor.text(failure),
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let Python collect no garbage meanwhile.

    What is read is kept: to look again and again whether it can go would take half of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
