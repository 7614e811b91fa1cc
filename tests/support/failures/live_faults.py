"""Faults in the live release: cause a fault, diagnose it, and fix it with the remediation.

Each test of the diagnosis that injures the release goes through here, so that all of them show
the same: the fault is named first and alone, its remedy mends it, and a healthy release yields
no finding.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.cluster.live import Live
from vrooli import process
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.evidence.collection.collect import collect
from vrooli.diagnosis.interface import Diagnosis
from vrooli.kube import Kube
from vrooli.release import Release

# Timeouts for a fault to appear, and for a fixed release to become healthy, seconds.
SHOWS_S, HEALTHY_S = 180.0, 300.0
# A release without findings for this long is considered healthy, seconds.
CALM_S = 1.0
POLL_S = 1.0
COMMAND_S = 300.0


@dataclass(frozen=True)
class Named:
    """The diagnosis of a fault.

    Attributes:
        diagnosis: The diagnosis.
        look_s: The duration of the diagnosis, seconds.
        shown_s: The time from the fault to the diagnosis, seconds.
    """

    diagnosis: Diagnosis
    look_s: float
    shown_s: float

    @property
    def command(self) -> str:
        """The command that fixes the first root cause."""
        return self.diagnosis.causes[0].finding.command


async def diagnose(kube: Kube, live: Live) -> Diagnosis:
    """Diagnose the live release now."""
    collected = await collect(kube, Release.of(live.environment, live.kubeconfig))
    return root_cause.diagnose(collected.evidence, catalog.ALL, collected.redactor)


async def until_named(
    kube: Kube, live: Live, rule: str, about: str = "", limit_s: float = SHOWS_S
) -> Named:
    """Diagnose until the fault is the only root cause; earlier results are ignored.

    A fault needs a moment to show in all its consequences: only what is said at last counts.
    """
    began = time.monotonic()
    while True:
        started = time.monotonic()
        output = await diagnose(kube, live)
        now = time.monotonic()
        names = [cause.finding.rule_id for cause in output.causes]
        if names == [rule] and output.causes[0].finding.resource.startswith(about):
            return Named(output, round(now - started, 2), round(now - began, 2))
        assert now - began < limit_s, f"{rule} isn't the one cause: {format_diagnosis(output)}"
        await asyncio.sleep(POLL_S)


async def until_healthy(kube: Kube, live: Live, limit_s: float = HEALTHY_S) -> None:
    """Diagnose until there are no findings, and none a moment later."""
    began, calm_since = time.monotonic(), 0.0
    while True:
        output = await diagnose(kube, live)
        now = time.monotonic()
        # Without access, the state is unknown.
        calm_since = 0.0 if output.causes or output.unavailable else calm_since or now
        if calm_since and now - calm_since >= CALM_S:
            return
        assert now - began < limit_s, (
            f"it isn't well after {limit_s:.0f} s: {format_diagnosis(output)}"
        )
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def injured(
    kube: Kube,
    live: Live,
    injure: Callable[[], Awaitable[object]],
    undo: Callable[[], Awaitable[object]],
) -> AsyncIterator[None]:
    """A healthy release with a fault; the fault is always undone, and the release is healthy again.

    The block mends it as the remedy says; ``undo`` is for what the remedy leaves, and for tests
    that fail. It may be called on a release that is mended already.
    """
    await until_healthy(kube, live)
    try:
        await injure()
        yield
        await until_healthy(kube, live)
    finally:
        await undo()


async def run(live: Live, command: str) -> str:
    """Run a printed command as a person would, with this cluster's kubeconfig."""
    words = shlex.split(command)
    # The environment's own programs come first, for what a shell starts, too.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = await process.run(
        [shutil.which(words[0], path=path) or words[0], *words[1:]],
        env={"PATH": path, "KUBECONFIG": str(live.kubeconfig), "VROOLI_CLUSTER": live.cluster},
        timeout_s=COMMAND_S,
    )
    return done.output


def format_diagnosis(result: Diagnosis) -> str:
    """A diagnosis in a few lines, for a failed test."""
    lines = [
        f"{cause.finding.rule_id} {cause.finding.resource}: {cause.finding.message}"
        + " <- "
        + (", ".join(f"{one.rule_id} {one.resource}" for one in cause.consequences) or "nothing")
        for cause in result.causes
    ]
    return "\n".join(
        [
            "",
            *lines,
            *(f"unavailable {item.resource}: {item.reason}" for item in result.unavailable),
        ]
    )
