"""Save the evidence and the root causes of a failed deploy before any rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vrooli import project
from vrooli.chart.manifest import Manifest
from vrooli.diagnosis import attribution
from vrooli.diagnosis.bundle import archive
from vrooli.diagnosis.engine import examine
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.failure_handling import REPORTS, FailureReport

# The time limit of the collection, seconds: the user waits for the deploy to end.
LIMIT_S = 30.0


async def save(
    kube: Kube, release: Release, manifests: Sequence[Manifest], failure: str
) -> FailureReport:
    """Collect the evidence, write the bundle and return the root causes."""
    contents = await examine(
        kube, release, full=True, manifests=manifests, failure=failure, limit_s=LIMIT_S
    )
    folder = project.state_dir() / REPORTS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{release.name}-{contents.evidence.now:%Y%m%dT%H%M%S%f}.tar.gz"
    await asyncio.to_thread(archive.write, path, contents)
    related = attribution.causes_of(failure, contents.diagnosis, contents.evidence)
    causes = tuple(str(cause.finding) for cause in related)
    return FailureReport(path=path, failure=contents.failure, causes=causes)
