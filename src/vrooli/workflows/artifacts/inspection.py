"""Read artifacts, and inspect them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vrooli.artifact import model, verify
from vrooli.artifact.model import Artifact
from vrooli.errors import UsageError
from vrooli.events import Listener
from vrooli.workflows.options import DeployOptions
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


def load(options: DeployOptions) -> Artifact:
    """Load the artifact and compare each file with its record.

    Raises:
        UsageError: It is missing, incomplete, of another version, or lacks values.
    """
    folder, name = options.folder, options.environment.name
    artifact = verify.require_intact(folder)
    if options.version is not None and artifact.version != options.version:
        raise UsageError(
            f"The artifact in {folder} is of version {artifact.version}, not {options.version}.",
            "Name the version that it has, or another artifact.",
        )
    if name not in artifact.environments:
        available = ", ".join(artifact.environments) or "none"
        raise UsageError(
            f"The artifact in {folder} has no values for {name}, it has those for: {available}.",
            f"Build it with `vrooli build --environment {name}`.",
        )
    return artifact
