"""The Redis operator's API, and the labels and names that it gives."""

from __future__ import annotations

from vrooli.kube import common_labels

GROUP = "databases.spotahome.com"
API_VERSION = f"{GROUP}/v1"
KIND = "RedisFailover"
NAMESPACE = "redis-operator"
FAILOVER_LABEL = f"redisfailovers.{GROUP}/name"
ROLE_LABEL = "redisfailovers-role"
COMPONENT_LABEL = common_labels.COMPONENT
REDIS, SENTINEL = "redis", "sentinel"
DEFAULT_REPLICAS = 3
SENTINEL_PORT = 26379


def stateful_set_name(name: str) -> str:
    """The StatefulSet of a RedisFailover's Redis pods."""
    return f"rfr-{name}"


def sentinel_name(name: str) -> str:
    """The Deployment of a RedisFailover's Sentinel pods."""
    return f"rfs-{name}"


def config_maps(name: str) -> frozenset[str]:
    """The ConfigMaps that the operator makes for a RedisFailover."""
    return frozenset((f"rfr-{name}", f"rfr-s-{name}", f"rfr-readiness-{name}", f"rfs-{name}"))
