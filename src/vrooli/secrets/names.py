"""The names that the values of the chart give to databases and Secrets. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vrooli.kube.objects import text
from vrooli.secrets import catalog
from vrooli.secrets.catalog import SecretSpec

# The PostgresCluster if the values name none: the chart's default.
POSTGRES_CLUSTER = "vrooli-pg"


@dataclass(frozen=True)
class Names:
    """The names of one release; by default those of the chart.

    Attributes:
        postgres: The PostgresCluster.
        secrets: The Kubernetes Secret of each of the five secrets.
    """

    postgres: str = POSTGRES_CLUSTER
    secrets: Mapping[SecretSpec, str] = field(
        default_factory=lambda: {spec: spec.kubernetes for spec in catalog.ALL}
    )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Names:
        """The names in values, with the chart's own defaults or without them."""
        return cls(
            text(values, "pgoPostgresql", "clusterName") or POSTGRES_CLUSTER,
            {
                spec: text(values, "vso", "secrets", spec.value, "k8sSecretName") or spec.kubernetes
                for spec in catalog.ALL
            },
        )
