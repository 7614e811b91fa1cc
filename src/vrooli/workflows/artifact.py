"""Inspect artifacts."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vrooli.artifact import model, verify
from vrooli.events import Listener
from vrooli.workflows.results.artifacts import DifferenceView, VerifyResult


async def verify_artifact(path: Path, listener: Listener) -> VerifyResult:
    """Compare every file of an artifact with its record.

    Args:
        path: The artifact's folder, or its version's folder around it.
        listener: Receives no events.

    Raises:
        UsageError: There is no artifact, or its record or its chart can't be read.
    """
    del listener
    folder = model.locate(path.absolute())
    artifact, problems = await asyncio.to_thread(verify.verify, folder)
    return VerifyResult(
        ok=not problems,
        path=str(folder),
        version=artifact.version,
        chart=f"{artifact.chart.name} {artifact.chart.version}",
        commit=artifact.source.revision,
        file_count=len(artifact.files),
        differences=tuple(DifferenceView(path=one.path, kind=one.kind.value) for one in problems),
    )
