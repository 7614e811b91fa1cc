"""PGO's API and the labels that it sets (internal/naming/labels.go)."""

from __future__ import annotations

from collections.abc import Iterable

GROUP = "postgres-operator.crunchydata.com"
API_VERSION = f"{GROUP}/v1beta1"
KIND = "PostgresCluster"
NAMESPACE = "postgres-operator"
CONTROL_PLANE_LABEL = f"{GROUP}/control-plane"
CLUSTER_LABEL = f"{GROUP}/cluster"
INSTANCE_LABEL = f"{GROUP}/instance"
INSTANCE_SET_LABEL = f"{GROUP}/instance-set"
REPOSITORY_LABEL = f"{GROUP}/pgbackrest-repo"
DEDICATED_REPOSITORY_LABEL = f"{GROUP}/pgbackrest-dedicated"
ROLE_LABEL = f"{GROUP}/role"
DATA_LABEL = f"{GROUP}/data"
USER_LABEL = f"{GROUP}/pguser"
BACKUP_LABEL = f"{GROUP}/pgbackrest-backup"
CRON_JOB_LABEL = f"{GROUP}/pgbackrest-cronjob"
RESTORE_ANNOTATION = f"{GROUP}/pgbackrest-restore"
# What Patroni calls its leader: "master" until 3.2, "primary" from 4.0 on.
LEADER_ROLES = ("master", "primary")
# The option of PostgreSQL for sessions of its superuser: a function or an operator that a user of
# the application has created in a schema of the search path would run with the superuser's rights.
SEARCH_PATH = "-c search_path=pg_catalog,pg_temp"


def patroni_scope(cluster: str) -> str:
    """The name under which Patroni knows a PostgresCluster (internal/naming/names.go of PGO)."""
    return f"{cluster}-ha"


def secrets(cluster: str, users: Iterable[str]) -> frozenset[str]:
    """The Secrets that PGO makes for a PostgresCluster (internal/naming/names.go)."""
    of_cluster = ("cluster-cert", "replication-cert", "pgbackrest", "pgbouncer", "monitoring")
    return frozenset(
        (
            "pgo-root-cacert",
            *(f"{cluster}-{name}" for name in of_cluster),
            *(f"{cluster}-pguser-{user}" for user in users),
        )
    )


def config_maps(cluster: str) -> frozenset[str]:
    """The ConfigMaps that PGO makes for a PostgresCluster (internal/naming/names.go)."""
    return frozenset(f"{cluster}-{name}" for name in ("config", "pgbackrest-config", "pgbouncer"))
