"""Run the chart's own tests against a release, as ``helm test`` does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

import helm_python

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import Kube
from vrooli.kube.pods import LogRange
from vrooli.release import helm
from vrooli.release.model import Release
from vrooli.release.records import storage

# The timeout of one test, seconds; each test has a shorter timeout of its own.
TEST_S = 180
LOG_LINES = 30
# How long the deletion of a test's pod may take, seconds.
DELETE_S = 10.0


@dataclass(frozen=True)
class TestResult:
    """The result of a test.

    Attributes:
        name: The test Pod's name.
        passed: Whether it passed.
        elapsed_s: How long it ran, seconds.
        log: The last lines of a failed test's log.
    """

    name: str
    passed: bool
    elapsed_s: float
    log: str = ""


async def names(kube: Kube, release: Release) -> list[str]:
    """The names of the release's tests.

    Raises:
        PrerequisiteError: There is no such release, or its records may not be read.
    """
    record = await storage.fetch_record(kube, release)
    if record is None:
        raise PrerequisiteError(
            f"There is no release {release.name} in namespace {release.namespace}.",
            "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact.",
        )
    hooks = [item for item in record.manifests if item.is_hook]
    return sorted(hook.name for hook in hooks if hook.annotations["helm.sh/hook"] == "test")


async def run(kube: Kube, release: Release, name: str) -> TestResult:
    """Run one test, and delete its pod; Helm allows one test at a time.

    Raises:
        PrerequisiteError: A permission is missing.
    """
    try:
        result = await _run(kube, release, name)
    except asyncio.CancelledError:
        async with asyncio.timeout(DELETE_S):
            await kube.delete("v1", "Pod", name, release.namespace)
        raise
    if result.passed:
        return result  # Helm has deleted the pod
    try:
        await kube.delete("v1", "Pod", name, release.namespace)
    except VrooliError as error:
        return replace(result, log=f"{result.log}\nIts pod remains: {error.message}")
    return result


async def _run(kube: Kube, release: Release, name: str) -> TestResult:
    began = time.monotonic()

    def operate(helm: helm_python.Config) -> object:
        return helm.test(release.name, timeout=TEST_S, include_names=[name])

    try:
        await helm.call(release, operate, helm_python.HelmContext())
    except helm_python.HelmError as error:
        if helm.is_forbidden(error):
            raise helm.failure(release, f"run test {name} of", error) from error
        # Helm only reports that the pod failed; the log says why.
        log = await _log(kube, release, name) or error.detail
        return TestResult(name, False, time.monotonic() - began, log)
    return TestResult(name, True, time.monotonic() - began)


async def _log(kube: Kube, release: Release, pod: str) -> str:
    """The last lines of a test's log, if its pod still exists."""
    try:
        part = LogRange(tail=LOG_LINES)
        return "\n".join([line async for line in kube.logs(release.namespace, pod, part=part)])
    except VrooliError as error:
        return error.message
