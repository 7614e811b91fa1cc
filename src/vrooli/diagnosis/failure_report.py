"""What is kept of a release that a deploy left in trouble, and why it is: before any rollback."""

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

# How long looking may take, seconds: somebody waits for the end of a deploy.
LOOK_S = 30.0


async def keep(
    kube: Kube, release: Release, wanted: Sequence[Manifest], failure: str
) -> FailureReport:
    """Look at everything, write the bundle, and name the root causes."""
    found = await examine(
        kube, release, everything=True, wanted=wanted, failure=failure, limit_s=LOOK_S
    )
    folder = project.state_dir() / REPORTS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{release.name}-{found.evidence.now:%Y%m%dT%H%M%S%f}.tar.gz"
    await asyncio.to_thread(archive.write, path, found)
    own = attribution.causes_of(failure, found.diagnosis, found.evidence)
    causes = tuple(str(cause.finding) for cause in own)
    return FailureReport(path=path, failure=found.failure, causes=causes)
