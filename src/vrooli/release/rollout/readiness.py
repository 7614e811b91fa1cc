"""When a release's objects are ready, and why not. No I/O here.

Helm's own wait cannot tell for the operators' resources, whose rules are in `vrooli.operators`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube.objects import dig
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import (
    SCALED_TO_ZERO,
    claim_phase,
    deployment_unready_reason,
    is_claim_bound,
    route_unready_reason,
    stateful_set_unready_reason,
)
from vrooli.operators import progress as operator_progress
from vrooli.operators.catalog import resources_by_kind
from vrooli.operators.custom_resource import CustomResource

Body = Mapping[str, Any]

# Why an object is not ready; None if it is.
Rule = Callable[[Body, Snapshot], str | None]


def unready_reasons(manifests: Iterable[Manifest], snapshot: Snapshot) -> dict[str, str]:
    """The reason of each object that is not ready, by kind and name."""
    reasons = {
        manifest.key: unready_reason(manifest, snapshot)
        for manifest in manifests
        if manifest.kind in RULES
    }
    return {key: reason for key, reason in reasons.items() if reason is not None}


def unready_reason(manifest: Manifest, snapshot: Snapshot) -> str | None:
    """Why an object is not ready; None if it is, or if its kind has no readiness."""
    rule = RULES.get(manifest.kind)
    if rule is None:
        return None
    body = snapshot.find(manifest.kind, manifest.name)
    if body is None:
        return "it doesn't exist"
    reason = rule(body, snapshot)
    # The values of a release may scale a component to 0 pods.
    is_intended = reason == SCALED_TO_ZERO and dig(manifest.body, "spec", "replicas") == 0
    return None if is_intended else reason


def _deployment(body: Body, snapshot: Snapshot) -> str | None:
    return deployment_unready_reason(body)


def _stateful_set(body: Body, snapshot: Snapshot) -> str | None:
    reason = stateful_set_unready_reason(body)
    if reason is None:
        return None
    refused = operator_progress.refused_pods(body, snapshot)
    return f"{reason}: {refused}" if refused else reason


def _operated(resource: CustomResource) -> Rule:
    def rule(body: Body, snapshot: Snapshot) -> str | None:
        return operator_progress.unready_reason(resource, body, snapshot)

    return rule


def _claim(body: Body, snapshot: Snapshot) -> str | None:
    return None if is_claim_bound(body) else f"the volume claim is {claim_phase(body)}"


def _http_route(body: Body, snapshot: Snapshot) -> str | None:
    return route_unready_reason(body)


def _always_ready(body: Body, snapshot: Snapshot) -> None:
    """An existing Ingress is ready: not every controller writes an address."""


RULES: Mapping[str, Rule] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "PersistentVolumeClaim": _claim,
    "Ingress": _always_ready,
    "HTTPRoute": _http_route,
    **{
        kind: _operated(resource)
        for kind, resource in resources_by_kind().items()
        if resource.readiness is not None
    },
}
