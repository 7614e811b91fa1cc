"""Waits until a release is healthy again, and diagnoses it meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from vrooli.diagnosis.engine import examine
from vrooli.diagnosis.interface import Diagnosis
from vrooli.drills.model import Diagnosed, Injection
from vrooli.drills.site import Site
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.release.rollout import wait

POLL_S = 0.5
# The begin of the first diagnosis after a fault, the pause before each further one, and the time
# limit of one, seconds; and their number: each of them uses a core for some seconds.
FIRST_DIAGNOSIS_S, DIAGNOSIS_PAUSE_S, DIAGNOSIS_S = 1.0, 5.0, 60.0
MOST_DIAGNOSES = 5


async def wait_until_healed(site: Site, injection: Injection, limit_s: float) -> None:
    """Wait until what was faulted is replaced, and all objects of the release are ready.

    Raises:
        WaitTimeoutError: They are not within ``limit_s`` seconds; the message says what is missing.
    """
    reason = "what was faulted is not replaced"
    try:
        async with asyncio.timeout(limit_s):
            while True:
                try:
                    if await injection.is_healed():
                        await wait_until_ready(site, limit_s)
                        return
                    reason = "what was faulted is not replaced"
                except VrooliError as error:  # parts of the cluster do not answer in a fault
                    reason = error.message
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise WaitTimeoutError(reason, "Run `vrooli diagnose` to find the cause.") from None


async def wait_until_ready(site: Site, limit_s: float) -> None:
    """Wait until all objects of the release are ready, and stay it.

    Raises:
        VrooliError: They are not within ``limit_s`` seconds, or cannot become ready.
    """
    await wait.until_ready(site.kube, site.manifests, Progress(), limit_s)


class DiagnosisWatch:
    """Diagnoses a release from the begin of a fault until it is named."""

    def __init__(self, site: Site, injection: Injection) -> None:
        self._site, self._injection = site, injection
        self._began = time.monotonic()
        self.result = Diagnosed()

    async def run(self) -> None:
        """Diagnose until the fault is named, or often enough; can be cancelled."""
        await asyncio.sleep(FIRST_DIAGNOSIS_S)
        for number in range(1, MOST_DIAGNOSES + 1):
            diagnosis = await self._diagnose()
            named = is_named(diagnosis, self._injection.subjects)
            elapsed_s = round(time.monotonic() - self._began, 1)
            # Causes of an earlier diagnosis are kept: a later one may only find the end.
            shown = describe(diagnosis) or self.result.causes
            self.result = Diagnosed(number, elapsed_s if named else None, shown)
            if named:
                return
            await asyncio.sleep(DIAGNOSIS_PAUSE_S)

    async def _diagnose(self) -> Diagnosis:
        try:
            contents = await examine(self._site.kube, self._site.release, limit_s=DIAGNOSIS_S)
        except VrooliError:  # the API server may be what was faulted
            return Diagnosis((), ())
        return contents.diagnosis


def describe(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The root causes, and what is not ready or could not be read, as lines."""
    findings = (cause.finding for cause in diagnosis.causes)
    return (
        *(f"{item.resource}: {item.message} ({item.rule_id})" for item in findings),
        *(f"{item.resource}: {item.reason}" for item in diagnosis.missing),
    )


def is_named(diagnosis: Diagnosis, subjects: Iterable[str]) -> bool:
    """Whether a diagnosis reports one of the subjects.

    That is a cause, one of its consequences, or, for a fault of the last seconds, what is not ready
    yet: pods that start are no problem until they take too long.
    """
    findings = [item for cause in diagnosis.causes for item in (cause.finding, *cause.consequences)]
    texts = [
        *(f"{item.resource} {item.message}" for item in findings),
        *(f"{item.resource} {item.reason}" for item in diagnosis.missing),
    ]
    return any(subject in text for subject in subjects for text in texts)
