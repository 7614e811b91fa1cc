"""The table of upstream's keys: what each becomes, or why it has no place.

If several keys have the same target, the one that is lower in the table takes precedence.
"""

from __future__ import annotations

from vrooli.chart.upstream import access, databases, services

RULES = (
    *services.NAMES,
    *services.SERVICES,
    *services.GENERAL,
    *services.ADMINER,
    *databases.POSTGRES,
    *databases.REDIS,
    *access.INGRESS,
    *access.VAULT,
)
