"""When a release's objects are ready: pure readings of what was seen, in words.

Helm's own wait can't say it: RedisFailover 1.2.4 has no status at all and PostgresCluster no Ready
condition, so their pods are the evidence, and what their operators have made of their last change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube.snapshot import Snapshot
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

Body = Mapping[str, Any]
Labels = Mapping[str, str]

PGO = claims.PGO
# What Patroni calls its leader: "master" until 3.2, "primary" from 4.0 on.
LEADER_ROLES = ("master", "primary")
REDIS_ROLE = "redisfailovers-role"
REDIS_NAME = "redisfailovers.databases.spotahome.com/name"
COMPONENT = "app.kubernetes.io/component"


# What an object lacks, in words.
Rule = Callable[[Body, Snapshot], str | None]


def unready_reasons(manifests: Iterable[Manifest], snapshot: Snapshot) -> dict[str, str]:
    """What each object that isn't ready lacks, in words, by kind and name."""
    reasons = {
        manifest.key: unready_reason(manifest, snapshot)
        for manifest in manifests
        if manifest.kind in RULES
    }
    return {key: reason for key, reason in reasons.items() if reason is not None}


def unready_reason(manifest: Manifest, snapshot: Snapshot) -> str | None:
    """What one object lacks; None when it is ready, or of a kind that is so by being there."""
    rule = RULES.get(manifest.kind)
    if rule is None:
        return None
    body = snapshot.find(manifest.kind, manifest.name)
    return "it doesn't exist" if body is None else rule(body, snapshot)


def _deployment(body: Body, snapshot: Snapshot) -> str | None:
    return deployment_unready_reason(body)


def _stateful_set(body: Body, snapshot: Snapshot) -> str | None:
    reason = stateful_set_unready_reason(body)
    if reason is None:
        return None
    refused = operator_progress.refused_pods(body, snapshot)
    return f"{reason}: {refused}" if refused else reason


def _postgres(body: Body, snapshot: Snapshot) -> str | None:
    """Every instance ready, one of them the leader, a user with its database, and the pool."""
    spec, status = body["spec"], body.get("status", {})
    if not is_observed(body):
        return "the operator hasn't seen its last change yet"
    expected = sum(item.get("replicas", 1) for item in spec["instances"])
    ready = sum(item.get("readyReplicas", 0) for item in status.get("instances", []))
    if ready < expected:
        return f"{ready} of {expected} PostgreSQL instances are ready"
    labels = {f"{PGO}/cluster": body["metadata"]["name"]}
    leaders = [
        pod
        for role in LEADER_ROLES
        for pod in snapshot.active_pods({**labels, f"{PGO}/role": role})
    ]
    if not any(is_pod_ready(pod) for pod in leaders):
        return "no instance leads"
    if not status.get("databaseRevision") or not status.get("usersRevision"):
        return "its databases and users aren't made yet"
    pool = spec.get("proxy", {}).get("pgBouncer", {})
    pooled = status.get("proxy", {}).get("pgBouncer", {}).get("readyReplicas", 0)
    if pool and pooled < pool.get("replicas", 1):
        return f"{pooled} of {pool.get('replicas', 1)} pgBouncer pods are ready"
    return None


def _redis(body: Body, snapshot: Snapshot) -> str | None:
    """Every Redis and Sentinel ready, and exactly one master among the Redis."""
    labels = {REDIS_NAME: body["metadata"]["name"]}
    for part, title in (("redis", "Redis"), ("sentinel", "Sentinel")):
        expected = body["spec"][part].get("replicas", 3)
        pods = snapshot.active_pods({**labels, COMPONENT: part})
        ready = sum(is_pod_ready(pod) for pod in pods)
        if ready < expected:
            return f"{ready} of {expected} {title} pods are ready"
    masters = len(snapshot.active_pods({**labels, COMPONENT: "redis", REDIS_ROLE: "master"}))
    if masters != 1:
        return f"{masters or 'none'} of the Redis pods {'is' if masters < 2 else 'are'} the master"  # noqa: PLR2004
    return None


def _operated(rule: Rule) -> Rule:
    """A database's rule, after what its operator refuses and before what that has still to do."""

    def whole(body: Body, snapshot: Snapshot) -> str | None:
        refusal = next(operator_progress.refusals(body, snapshot), None)
        return (
            refusal or rule(body, snapshot) or next(operator_progress.undone(body, snapshot), None)
        )

    return whole


def _vault_secret(body: Body, snapshot: Snapshot) -> str | None:
    """Synced at its last change; Vault is asked by the operator, which tells by events only."""
    status = body.get("status", {})
    name = body["spec"]["destination"]["name"]
    if not status.get("secretMAC"):
        return f"Vault hasn't filled the Secret {name} yet"
    if status.get("lastGeneration", 0) < body["metadata"].get("generation", 0):
        return f"the Secret {name} isn't filled anew since its last change"
    return None


def _claim(body: Body, snapshot: Snapshot) -> str | None:
    return None if is_claim_bound(body) else f"the volume claim is {claim_phase(body)}"


def _always_ready(body: Body, snapshot: Snapshot) -> None:
    """Being there is all: not every Ingress controller writes an address."""


RULES: Mapping[str, Rule] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "PostgresCluster": _operated(_postgres),
    "RedisFailover": _operated(_redis),
    "VaultStaticSecret": _vault_secret,
    "PersistentVolumeClaim": _claim,
    "Ingress": _always_ready,
}
