"""Questions that are asked in the cluster, once it is known whom: one file for each.

A probe changes nothing, and gives answers; what they mean is for the rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from vrooli.diagnosis.evidence import Answer, Evidence
from vrooli.diagnosis.probes import connect, health_answer, resolve, vault_health
from vrooli.kube import Kube

Probe = Callable[[Kube, Evidence], Awaitable[Sequence[Answer]]]

PROBES: Mapping[str, Probe] = {
    vault_health.NAME: vault_health.ask,
    health_answer.NAME: health_answer.ask,
    resolve.NAME: resolve.ask,
    connect.NAME: connect.ask,
}
