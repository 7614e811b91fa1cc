"""The operators that Vrooli depends on: PostgreSQL, Redis, and secrets from Vault.

Each has a package with all that is specific to it: its install, labels, kinds, permissions, and
when its resources are ready. `model.py` defines what such a package offers, `catalog.py` lists
them, `installation/` installs any of them. Nothing of Vrooli's own chart belongs here.
"""

from vrooli.operators.catalog import OPERATORS
from vrooli.operators.installation.install import status
from vrooli.operators.installation.sources import choose
from vrooli.operators.model import Operator, OperatorStatus, Site, Source
from vrooli.operators.pgo.operator import PGO
from vrooli.operators.redis.operator import REDIS
from vrooli.operators.vso.operator import VSO

__all__ = [
    "OPERATORS",
    "PGO",
    "REDIS",
    "VSO",
    "Operator",
    "OperatorStatus",
    "Site",
    "Source",
    "choose",
    "status",
]
