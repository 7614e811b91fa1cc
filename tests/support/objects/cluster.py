"""Nodes, claims and other objects of a cluster."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import (
    START,
    diagnosed,
)
from vrooli.diagnosis.evidence.model import Evidence


def node(ready: str = "True", **more: Any) -> dict[str, Any]:
    """The only node, an hour old."""
    conditions = [
        {"type": "Ready", "status": ready, "reason": "KubeletReady", "message": "kubelet stopped"},
        *more.pop("conditions", []),
    ]
    metadata = {"name": "one", "creationTimestamp": START}
    return {
        "kind": "Node",
        "metadata": metadata,
        "spec": more,
        "status": {"conditions": conditions},
    }


def names(observed: Evidence) -> list[str]:
    """The causes that all rules together name."""
    return [cause.finding.rule_id for cause in diagnosed(observed).causes]


def autoscaler(
    message: str, reason: str = "FailedGetResourceMetric", **more: Any
) -> dict[str, Any]:
    """An autoscaler of the server that doesn't work."""
    state = {
        "type": "ScalingActive",
        "status": "False",
        "reason": reason,
        "message": message,
        **more,
    }
    target = {"kind": "Deployment", "name": "vrooli-dev-server"}
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "server", "namespace": "dev"},
        "spec": {"scaleTargetRef": target},
        "status": {"conditions": [state]},
    }
