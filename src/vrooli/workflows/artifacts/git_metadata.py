"""The commit of the repository's files, and its time."""

from __future__ import annotations

import os
from pathlib import Path

from vrooli import process, project
from vrooli.artifact import model
from vrooli.artifact.model import ArtifactSource
from vrooli.errors import CommandError, PrerequisiteError, UsageError

# The sources of an artifact, relative to the repository.
PARTS = ("k8s/chart", "services", "images")
# The time of files without a commit: the oldest that all archive formats support, 1980.
NO_TIME = 315532800
GIT_S = 30.0


async def source() -> ArtifactSource:
    """The commit of the repository's files and its time; without Git, no commit and a fixed time.

    ``SOURCE_DATE_EPOCH`` overrides the time, as https://reproducible-builds.org defines it.

    Raises:
        UsageError: ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    epoch_s = _source_date_epoch()
    try:
        top, revision = (await _git("rev-parse", "--show-toplevel", "HEAD")).split("\n")
        if Path(top).resolve() != project.root().resolve():  # an outer repository
            return _unknown(epoch_s)
        time = int(await _git("log", "-1", "--format=%ct"))
        changes = await _git("status", "--porcelain", "--", *PARTS)
    except (CommandError, PrerequisiteError, ValueError):  # no Git, or no commit
        return _unknown(epoch_s)
    return ArtifactSource(
        revision=revision,
        modified=bool(changes),
        time=model.to_utc(time if epoch_s is None else epoch_s),
    )


async def _git(*words: str) -> str:
    done = await process.run(["git", *words], cwd=project.root(), timeout_s=GIT_S)
    return done.output.rstrip("\n")


def _unknown(epoch_s: int | None) -> ArtifactSource:
    time = model.to_utc(NO_TIME if epoch_s is None else epoch_s)
    return ArtifactSource(revision=None, modified=False, time=time)


def _source_date_epoch() -> int | None:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    # The latest time in a tar file is in the year 2242.
    if not (text.isascii() and text.isdecimal() and int(text) < 8**11):
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r}.", "Set it to a time in whole seconds since 1970."
        )
    return int(text)
