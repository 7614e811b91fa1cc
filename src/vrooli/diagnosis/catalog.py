"""Every rule, the more specific before the more general: of two about one object the first is why.

The order is the only thing that is decided here.
"""

from __future__ import annotations

from vrooli.diagnosis.interface import Rule
from vrooli.diagnosis.rules import image_pull, not_ready, vault_sealed

# What the whole release stands on: the cluster, its nodes, the operators, Vault.
BELOW: tuple[Rule, ...] = (vault_sealed.RULE,)
# The databases and the secrets.
DATA: tuple[Rule, ...] = ()
# Any workload's troubles.
WORKLOADS: tuple[Rule, ...] = (image_pull.RULE,)
# What is only ever a consequence, unless nothing else explains it.
LAST: tuple[Rule, ...] = (not_ready.RULE,)

ALL: tuple[Rule, ...] = (*BELOW, *DATA, *WORKLOADS, *LAST)
