"""The components of a release: their pods and containers. No I/O."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from vrooli.errors import UsageError
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis


@dataclass(frozen=True)
class Component:
    """The pods of a component.

    Attributes:
        labels: The label selector of its pods; ``{release}`` is replaced by the release's name, and
            ``{postgres}`` by that of its PostgresCluster.
        container: The container with its program.
        leader_label: The label of the pod that accepts writes; empty if all pods are equal.
        leader_roles: The values of that label.
    """

    labels: str
    container: str
    leader_label: str = ""
    leader_roles: tuple[str, ...] = ()


# The container that prints the log files of a service which writes any (`pod.logFiles`).
LOG_FILES = "log-files"
_OWN = "app.kubernetes.io/instance={release},app.kubernetes.io/component="
# In a selector, the name of the PostgresCluster.
CLUSTER = "{postgres}"
COMPONENTS = {
    **{
        name: Component(_OWN + name, name)
        for name in ("ui", "server", "jobs", "nsfw-detector", "adminer", "rotator")
    },
    # PGO's pods have no label of the release.
    "postgres": Component(
        f"{pgo.CLUSTER_LABEL}={CLUSTER},{pgo.INSTANCE_LABEL}",
        "database",
        pgo.ROLE_LABEL,
        pgo.LEADER_ROLES,
    ),
    "pgbouncer": Component(
        f"{pgo.CLUSTER_LABEL}={CLUSTER},{pgo.ROLE_LABEL}=pgbouncer",
        "pgbouncer",
    ),
    # The Redis operator copies the label of the release to its pods (labelWhitelist in the chart).
    redis.REDIS: Component(_OWN + redis.REDIS, "redis", redis.ROLE_LABEL, ("master",)),
    redis.SENTINEL: Component(_OWN + redis.SENTINEL, "sentinel"),
}


def find_component(name: str) -> Component:
    """The component of a name.

    Raises:
        UsageError: There is none; a similar name is suggested.
    """
    if name in COMPONENTS:
        return COMPONENTS[name]
    similar = difflib.get_close_matches(name, COMPONENTS, n=1)
    suggestion = f"Did you mean {similar[0]!r}? " if similar else ""
    raise UsageError(
        f"Unknown component {name!r}.", f"{suggestion}Use one of: {', '.join(COMPONENTS)}."
    )
