"""All faults, in the order in which `--all` injects them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from vrooli.drills.faults import pods, postgres, processes, redis
from vrooli.drills.model import Injection, Scope
from vrooli.drills.site import Site
from vrooli.operators.pgo.operator import PGO
from vrooli.operators.redis.operator import REDIS
from vrooli.operators.vso.operator import VSO


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: Its name on the command line.
        title: What it does, for people.
        scope: Whether only the release is affected, or every release in the cluster.
        plan: Plans its injection; raises NotApplicableError where it does not apply.
    """

    name: str
    title: str
    scope: Scope
    plan: Callable[[Site], Awaitable[Injection]]


_JOBS = partial(pods.component, name_="jobs")
FAULTS = (
    Fault(
        "postgres-deleted",
        "PostgreSQL's primary deleted",
        Scope.RELEASE,
        postgres.primary_deleted,
    ),
    Fault(
        "postgres-lost", "pod of PostgreSQL's primary lost", Scope.RELEASE, postgres.primary_lost
    ),
    Fault(
        "postgres-killed",
        "processes of PostgreSQL's primary killed",
        Scope.RELEASE,
        postgres.primary_killed,
    ),
    Fault("postgres-frozen", "PostgreSQL's primary frozen", Scope.RELEASE, postgres.primary_frozen),
    Fault(
        "postgres-full",
        "volume of PostgreSQL's primary full",
        Scope.RELEASE,
        postgres.volume_filled,
    ),
    Fault("pgbouncer-deleted", "pgBouncer deleted", Scope.RELEASE, postgres.pool_deleted),
    Fault("redis-deleted", "Redis' master deleted", Scope.RELEASE, redis.master_deleted),
    Fault("redis-killed", "process of Redis' master killed", Scope.RELEASE, redis.master_killed),
    Fault("sentinels-deleted", "two Sentinels deleted", Scope.RELEASE, redis.sentinels_deleted),
    Fault(
        "postgres-operator",
        "PGO and PostgreSQL's primary deleted",
        Scope.CLUSTER,
        partial(pods.operator_during, operator=PGO, plan=postgres.primary_deleted),
    ),
    Fault(
        "redis-operator",
        "Redis operator and Redis' master deleted",
        Scope.CLUSTER,
        partial(pods.operator_during, operator=REDIS, plan=redis.master_deleted),
    ),
    Fault(
        "vault-operator",
        "Vault Secrets Operator and a jobs pod deleted",
        Scope.CLUSTER,
        partial(pods.operator_during, operator=VSO, plan=_JOBS),
    ),
    Fault("vault-deleted", "Vault deleted", Scope.CLUSTER, pods.vault),
    Fault("ingress-deleted", "Ingress controller deleted", Scope.CLUSTER, pods.ingress),
    *(
        Fault(
            f"{name}-killed",
            f"{name} killed",
            Scope.CLUSTER,
            partial(processes.component_killed, name=name),
        )
        for name in ("kubelet", "containerd", "etcd", "kube-apiserver")
    ),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
