"""When a release's objects are ready: pure readings of what was seen, in words.

Helm's own wait can't say it: RedisFailover 1.2.4 has no status at all and PostgresCluster no Ready
condition, so their pods are the evidence, and what their operators have made of their last change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube.status import (
    claim_phase,
    deployment_unready_reason,
    is_claim_bound,
    is_observed,
    is_pod_ready,
    stateful_set_unready_reason,
)
from vrooli.operators import claims
from vrooli.release.rollout import operator_progress
from vrooli.release.rollout.unavailable import Unavailable

Body = Mapping[str, Any]
Labels = Mapping[str, str]

PGO = claims.PGO
# What Patroni calls its leader: "master" until 3.2, "primary" from 4.0 on.
LEADER_ROLES = ("master", "primary")
REDIS_ROLE = "redisfailovers-role"
REDIS_NAME = "redisfailovers.databases.spotahome.com/name"
COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Seen:
    """A namespace's objects, as they were seen last, by kind and name.

    Attributes:
        objects: The objects.
        unavailable: The kinds that couldn't be looked at and on which readiness depends.
    """

    objects: Mapping[tuple[str, str], Body] = field(default_factory=dict)
    unavailable: Sequence[Unavailable] = ()

    def get(self, kind: str, name: str) -> Body | None:
        """One object."""
        return self.objects.get((kind, name))

    def pods(self, labels: Labels) -> list[Body]:
        """The pods with these labels that aren't going away."""
        wanted = labels.items()
        return [
            body
            for body in self.of_kind("Pod")
            if "deletionTimestamp" not in body["metadata"]
            and wanted <= body["metadata"].get("labels", {}).items()
        ]

    def of_kind(self, kind: str) -> Sequence[Body]:
        """The objects of a kind."""
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> Mapping[str, Sequence[Body]]:
        # Each look asks for the pods many times, among hundreds of events.
        found: defaultdict[str, list[Body]] = defaultdict(list)
        for (kind, _), body in self.objects.items():
            found[kind].append(body)
        return found


# What an object lacks, in words.
Rule = Callable[[Body, Seen], str | None]


def lacks(wanted: Iterable[Manifest], seen: Seen) -> dict[str, str]:
    """What each object that isn't ready lacks, in words, by kind and name."""
    found = {manifest.key: lack(manifest, seen) for manifest in wanted if manifest.kind in RULES}
    return {key: reason for key, reason in found.items() if reason is not None}


def lack(wanted: Manifest, seen: Seen) -> str | None:
    """What one object lacks; None when it is ready, or of a kind that is so by being there."""
    rule = RULES.get(wanted.kind)
    if rule is None:
        return None
    body = seen.get(wanted.kind, wanted.name)
    return "it doesn't exist" if body is None else rule(body, seen)


def _deployment(body: Body, seen: Seen) -> str | None:
    return deployment_unready_reason(body)


def _stateful_set(body: Body, seen: Seen) -> str | None:
    reason = stateful_set_unready_reason(body)
    if reason is None:
        return None
    refused = operator_progress.refused_pods(body, seen)
    return f"{reason}: {refused}" if refused else reason


def _postgres(body: Body, seen: Seen) -> str | None:
    """Every instance ready, one of them the leader, a user with its database, and the pool."""
    spec, status = body["spec"], body.get("status", {})
    if not is_observed(body):
        return "the operator hasn't seen its last change yet"
    wanted = sum(item.get("replicas", 1) for item in spec["instances"])
    ready = sum(item.get("readyReplicas", 0) for item in status.get("instances", []))
    if ready < wanted:
        return f"{ready} of {wanted} PostgreSQL instances are ready"
    labels = {f"{PGO}/cluster": body["metadata"]["name"]}
    leaders = [pod for role in LEADER_ROLES for pod in seen.pods({**labels, f"{PGO}/role": role})]
    if not any(is_pod_ready(pod) for pod in leaders):
        return "no instance leads"
    if not status.get("databaseRevision") or not status.get("usersRevision"):
        return "its databases and users aren't made yet"
    pool = spec.get("proxy", {}).get("pgBouncer", {})
    pooled = status.get("proxy", {}).get("pgBouncer", {}).get("readyReplicas", 0)
    if pool and pooled < pool.get("replicas", 1):
        return f"{pooled} of {pool.get('replicas', 1)} pgBouncer pods are ready"
    return None


def _redis(body: Body, seen: Seen) -> str | None:
    """Every Redis and Sentinel ready, and exactly one master among the Redis."""
    labels = {REDIS_NAME: body["metadata"]["name"]}
    for part, title in (("redis", "Redis"), ("sentinel", "Sentinel")):
        wanted = body["spec"][part].get("replicas", 3)
        pods = seen.pods({**labels, COMPONENT: part})
        ready = sum(is_pod_ready(pod) for pod in pods)
        if ready < wanted:
            return f"{ready} of {wanted} {title} pods are ready"
    masters = len(seen.pods({**labels, COMPONENT: "redis", REDIS_ROLE: "master"}))
    if masters != 1:
        return f"{masters or 'none'} of the Redis pods {'is' if masters < 2 else 'are'} the master"  # noqa: PLR2004
    return None


def _operated(rule: Rule) -> Rule:
    """A database's rule, after what its operator refuses and before what that has still to do."""

    def whole(body: Body, seen: Seen) -> str | None:
        refusal = next(operator_progress.refusals(body, seen), None)
        return refusal or rule(body, seen) or next(operator_progress.undone(body, seen), None)

    return whole


def _vault_secret(body: Body, seen: Seen) -> str | None:
    """Synced at its last change; Vault is asked by the operator, which tells by events only."""
    status = body.get("status", {})
    name = body["spec"]["destination"]["name"]
    if not status.get("secretMAC"):
        return f"Vault hasn't filled the Secret {name} yet"
    if status.get("lastGeneration", 0) < body["metadata"].get("generation", 0):
        return f"the Secret {name} isn't filled anew since its last change"
    return None


def _claim(body: Body, seen: Seen) -> str | None:
    return None if is_claim_bound(body) else f"the volume claim is {claim_phase(body)}"


def _nothing(body: Body, seen: Seen) -> None:
    """Being there is all: not every Ingress controller writes an address."""


RULES: Mapping[str, Rule] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "PostgresCluster": _operated(_postgres),
    "RedisFailover": _operated(_redis),
    "VaultStaticSecret": _vault_secret,
    "PersistentVolumeClaim": _claim,
    "Ingress": _nothing,
}
