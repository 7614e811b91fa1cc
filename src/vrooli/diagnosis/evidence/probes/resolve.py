"""Resolve a name in one pod of each of a few workloads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vrooli.diagnosis.evidence.collection.access import EXEC
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited
from vrooli.kube.objects import Ref, ref_of
from vrooli.kube.status import is_pod_ready, pod_status

NAME = "resolve"
# The maximum number of pods, and the timeout of each, seconds.
MOST, ANSWER_S = 3, 5.0
# A short name that every cluster has.
HOSTNAME = "kubernetes.default"
# DNS responds quickly or not at all.
ARGV = ("env", "RES_OPTIONS=timeout:1 attempts:1", "getent", "hosts", HOSTNAME)
# The exit code of getent for an unknown name.
UNKNOWN, NOT_FOUND = "exit code 2", "not found"
NO_ANSWER = f"no response within {ANSWER_S:.0f} s"


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The results of the first running pods, one of each workload."""
    targets: dict[Ref, tuple[Ref, str]] = {}
    for owner, pod in evidence.current if evidence.may(EXEC) else ():
        running = pod_status(pod).running
        if running and owner.kind == "Deployment" and (is_pod_ready(pod) or owner not in targets):
            targets.setdefault(owner, (ref_of(pod), running[-1].name))
    chosen = list(targets.values())[:MOST]
    return await gather_limited(lambda item: _resolve(kube, *item), chosen)


async def _resolve(kube: Kube, pod: Ref, container: str) -> Answer:
    """The output of getent; not ok if it could not run."""
    try:
        async with asyncio.timeout(ANSWER_S):
            output = await kube.exec(pod.namespace, pod.name, ARGV, container)
    except TimeoutError:
        # A busy machine may not start a program in time, which is no result.
        return Answer(NAME, pod, NO_ANSWER, ok=False)
    except VrooliError as error:
        is_answer = UNKNOWN in error.message
        return Answer(NAME, pod, NOT_FOUND if is_answer else error.message, ok=is_answer)
    return Answer(NAME, pod, output.strip())
