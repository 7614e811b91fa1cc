"""The state of each Redis and Sentinel: replication, persistence, peers.

The password is read from the pod's environment and does not leave the pod.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from vrooli.diagnosis.evidence.collection.access import EXEC
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited
from vrooli.kube.objects import Body, labels, ref_of, text
from vrooli.operators.redis.names import COMPONENT_LABEL, FAILOVER_LABEL

NAME = "redis-info"
# Redis responds at once or hangs; on a busy machine its client starts slowly, seconds.
SILENT_S = 5
# The INFO commands for each kind of pod.
SCRIPTS = {
    "redis": 'if [ -n "$REDIS_PASSWORD" ]; then export REDISCLI_AUTH="$REDIS_PASSWORD"; fi; '
    f'timeout {SILENT_S} redis-cli -p "${{REDIS_PORT:-6379}}" INFO replication 2>&1 '
    f'&& timeout {SILENT_S} redis-cli -p "${{REDIS_PORT:-6379}}" INFO persistence 2>&1 '
    '|| echo "ended: $?"',
    "sentinel": f'timeout {SILENT_S} redis-cli -p 26379 INFO sentinel 2>&1 || echo "ended: $?"',
}
# The timeout of a probe, including the connection to its pod, seconds.
ANSWER_S = 15.0


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The response of each running Redis and Sentinel."""
    pods = [
        pod
        for pod in evidence.all("Pod")
        if evidence.may(EXEC)
        and FAILOVER_LABEL in labels(pod)
        and text(pod, "status", "phase") == "Running"
    ]
    return await gather_limited(partial(_fetch_info, kube), pods)


async def _fetch_info(kube: Kube, pod: Body) -> Answer:
    ref, part = ref_of(pod), text(labels(pod), COMPONENT_LABEL)
    script = SCRIPTS.get(part, SCRIPTS["redis"])
    try:
        async with asyncio.timeout(ANSWER_S):
            output = await kube.exec(ref.namespace, ref.name, ["sh", "-c", script], part)
    except TimeoutError:
        return Answer(NAME, ref, f"no response within {ANSWER_S:.0f} s", ok=False)
    except VrooliError as error:
        return Answer(NAME, ref, error.message, ok=False)
    return Answer(NAME, ref, output)
