"""The release's own tests: what `helm test` runs, with what each of them printed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import helm_python

from vrooli.errors import UsageError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import history
from vrooli.release.history import Release

# The limit of one test, seconds: its own, in the chart's values, ends it before.
TEST_S = 150
TEST_HOOK = "test"


@dataclass(frozen=True)
class Tested:
    """One test's end.

    Attributes:
        name: The test pod's name.
        passed: Whether it ended well.
        elapsed_s: How long it took, its pod's start included, seconds.
        log: What it printed.
    """

    name: str
    passed: bool
    elapsed_s: float
    log: str


async def run(kube: Kube, release: Release, progress: Progress) -> tuple[Tested, ...]:
    """Run every test of the release, whatever the others find.

    Raises:
        UsageError: There is no such release.
    """
    names = await _names(release)
    results = []
    for number, name in enumerate(names, 1):
        progress.say(f"{name} ({number} of {len(names)})")
        results.append(await _run_one(kube, release, name))
    return tuple(results)


async def _names(release: Release) -> list[str]:
    if await history.last(release) is None:
        raise UsageError(
            f"There is no release {release.name} in namespace {release.namespace}.",
            "Put it there with `vrooli develop`, or name another environment.",
        )
    noted = await history.manifests(release)
    return [item.name for item in noted if item.annotations.get("helm.sh/hook") == TEST_HOOK]


async def _run_one(kube: Kube, release: Release, name: str) -> Tested:
    began = time.monotonic()
    error = ""
    try:
        await history.call(
            release, lambda helm: helm.test(release.name, timeout=TEST_S, include_names=[name])
        )
    except helm_python.HelmError as failed:
        error = failed.detail
    elapsed_s = time.monotonic() - began
    log = await _log(kube, release.namespace, name)
    # What the test itself said tells more than Helm's "pod failed".
    return Tested(name, not error, elapsed_s, log or error)


async def _log(kube: Kube, namespace: str, pod: str) -> str:
    lines: list[str] = []
    with contextlib.suppress(VrooliError):
        lines = [line async for line in kube.logs(namespace, pod)]
    return "\n".join(lines)
