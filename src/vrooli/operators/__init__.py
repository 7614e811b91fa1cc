"""The three operators that run what Vrooli stands on: PostgreSQL, Redis, secrets from Vault.

One contract (interface.py) and one file per operator; what all of them share is beside it:
where an operator comes from (sources.py), CRDs and Helm (crds.py, helm.py), what is noted in
the cluster (record.py) and the one way to install (install.py). Nothing of Vrooli's own chart.
"""

from vrooli.operators.install import ensure, status
from vrooli.operators.interface import Operator, OperatorStatus, Site, Source
from vrooli.operators.pgo import PostgresOperator
from vrooli.operators.redis import RedisOperator
from vrooli.operators.sources import choose
from vrooli.operators.vault_secrets import VaultSecretsOperator

POSTGRES, REDIS, VAULT_SECRETS = PostgresOperator(), RedisOperator(), VaultSecretsOperator()
ALL: tuple[Operator, ...] = (POSTGRES, REDIS, VAULT_SECRETS)

__all__ = [
    "ALL",
    "POSTGRES",
    "REDIS",
    "VAULT_SECRETS",
    "Operator",
    "OperatorStatus",
    "Site",
    "Source",
    "choose",
    "ensure",
    "status",
]
