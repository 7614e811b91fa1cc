"""Probes: requests to running components, one file for each.

A probe changes nothing. It returns responses, which the rules interpret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import (
    connect,
    health_answer,
    postgres_state,
    redis_info,
    resolve,
    vault_health,
    vault_secrets,
)
from vrooli.kube import Kube

Probe = Callable[[Kube, Evidence], Awaitable[Sequence[Answer]]]

PROBES: Mapping[str, Probe] = {
    vault_health.NAME: vault_health.run,
    health_answer.NAME: health_answer.run,
    resolve.NAME: resolve.run,
    connect.NAME: connect.run,
    vault_secrets.NAME: vault_secrets.run,
    redis_info.NAME: redis_info.run,
    postgres_state.NAME: postgres_state.run,
}
