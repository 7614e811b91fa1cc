"""Test connections that policies seem to block, from a pod of their source.

The network of a cluster may not enforce policies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from vrooli.diagnosis.evidence.collection.access import EXEC
from vrooli.diagnosis.evidence.connectivity import connections
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited
from vrooli.kube.network_policies import Connection, find_denying
from vrooli.kube.objects import Ref, ref_of
from vrooli.kube.status import pod_status

NAME = "connect"
# The maximum number of tests, and the timeout of each, seconds.
MOST, ANSWER_S = 6, 4.0
OPEN, REFUSED = "open", "refused"
# Images have bash or nc; the script prints "open" or "refused".
SCRIPT = (
    "if command -v bash >/dev/null; then timeout 2 bash -c '</dev/tcp/'$1'/'$2; "
    "elif command -v nc >/dev/null; then nc -z -w 2 $1 $2; else echo unknown; exit 0; fi "
    "2>/dev/null && echo open || echo refused"
)


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """Test each connection that policies block: none in a healthy release."""
    policies = evidence.all("NetworkPolicy")
    doubtful = [
        connection
        for _, _, connection in (connections(evidence) if evidence.may(EXEC) else ())
        if connection.protocol == "TCP"
        and connection.target.address
        and find_denying(policies, connection)
    ]
    return await gather_limited(partial(_connect, kube), doubtful[:MOST])


def about(connection: Connection) -> Ref:
    """The reference of a connection, which has no name of its own."""
    source, target = ref_of(connection.source.pod), ref_of(connection.target.pod)
    return Ref("Arrow", f"{source.name}>{target.name}:{connection.port}", source.namespace)


async def _connect(kube: Kube, connection: Connection) -> Answer:
    pod = ref_of(connection.source.pod)
    running = pod_status(connection.source.pod).running
    if not running:
        return Answer(NAME, about(connection), "its container is not running", ok=False)
    argv = ["sh", "-c", SCRIPT, "sh", connection.target.address, str(connection.port)]
    try:
        async with asyncio.timeout(ANSWER_S):
            output = await kube.exec(pod.namespace, pod.name, argv, running[-1].name)
    except TimeoutError:
        return Answer(NAME, about(connection), f"no response within {ANSWER_S:.0f} s", ok=False)
    except VrooliError as error:
        return Answer(NAME, about(connection), error.message, ok=False)
    return Answer(NAME, about(connection), output.strip(), ok=output.strip() in (OPEN, REFUSED))
