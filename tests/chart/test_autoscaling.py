"""Autoscaling: by CPU, memory and external metrics, or by KEDA."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.chart import engine, golden
from vrooli.checks.nodes.planned_pods import planned_pods
from vrooli.errors import VrooliError

QUEUE = {"name": "vrooli_queue_jobs", "labels": {"state": "queued"}, "averageValue": "20"}
TRIGGER = {"type": "prometheus", "metadata": {"query": "x", "threshold": "20"}}


def _jobs(**autoscaling: Any) -> dict[str, Any]:
    return {"services": {"jobs": {"autoscaling": autoscaling}}}


def _metrics(**autoscaling: Any) -> list[dict[str, Any]]:
    objects = render(_jobs(enabled=True, **autoscaling))
    return list(objects["HorizontalPodAutoscaler/demo-jobs"].body["spec"]["metrics"])


def _utilization(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def test_only_cpu_counts_by_default() -> None:
    assert _metrics() == [_utilization("cpu", 75)]


def test_memory_and_the_queue_count_if_set() -> None:
    external = {
        "metric": {"name": "vrooli_queue_jobs", "selector": {"matchLabels": {"state": "queued"}}},
        "target": {"type": "AverageValue", "averageValue": "20"},
    }
    assert _metrics(targetMemoryUtilizationPercentage=80, externalMetrics=[QUEUE]) == [
        _utilization("cpu", 75),
        _utilization("memory", 80),
        {"type": "External", "external": external},
    ]


def test_the_queue_alone_may_count() -> None:
    (metric,) = _metrics(targetCPUUtilizationPercentage=0, externalMetrics=[QUEUE])
    assert metric["type"] == "External"


def test_keda_replaces_the_autoscaler() -> None:
    objects = render(
        _jobs(minReplicas=1, maxReplicas=4, keda={"enabled": True, "triggers": [TRIGGER]})
    )
    assert "HorizontalPodAutoscaler/demo-jobs" not in objects
    assert "replicas" not in objects["Deployment/demo-jobs"].body["spec"]
    assert objects["ScaledObject/demo-jobs"].body["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-jobs"},
        "minReplicaCount": 1,
        "maxReplicaCount": 4,
        "triggers": [TRIGGER],
    }


def test_keda_is_off_by_default() -> None:
    for case in set(golden.CASES) - {"keda"}:
        rendered = engine.render(golden.settings(case), release="demo", namespace="demo")
        assert not any(item.kind == "ScaledObject" for item in rendered), case


@pytest.mark.parametrize(
    "autoscaling",
    [
        {"enabled": True, "minReplicas": 3},
        {"minReplicas": 3, "keda": {"enabled": True, "triggers": [TRIGGER]}},
    ],
)
def test_the_planned_pods_are_the_minimum(autoscaling: dict[str, Any]) -> None:
    groups = planned_pods(render(_jobs(**autoscaling)).values())
    assert {group.name: group.count for group in groups}["demo-jobs"] == 3


@pytest.mark.parametrize(
    ("autoscaling", "message"),
    [
        (
            {"enabled": True, "keda": {"enabled": True, "triggers": [TRIGGER]}},
            "autoscaling.keda.enabled: conflicts with services.jobs.autoscaling.enabled",
        ),
        ({"keda": {"enabled": True}}, "autoscaling.keda.triggers: KEDA requires at least one"),
        (
            {"enabled": True, "targetCPUUtilizationPercentage": 0},
            "requires a target of CPU or memory, or an external metric",
        ),
        (
            {"minReplicas": 9, "keda": {"enabled": True, "triggers": [TRIGGER]}},
            "minReplicas: 9 is greater than maxReplicas, 5",
        ),
        ({"externalMetrics": [{"name": "a/b", "averageValue": "1"}]}, "name"),
        ({"externalMetrics": [{"name": "a", "averageValue": "0"}]}, "averageValue"),
        ({"externalMetrics": [{"name": "a"}]}, "averageValue"),
        ({"externalMetrics": [{**QUEUE, "value": "1"}]}, "value"),
        ({"keda": {"triggers": [{**TRIGGER, "name": "a"}]}}, "name"),
        ({"keda": {"triggers": [{"type": "cron"}]}}, "metadata"),
        ({"keda": {"triggers": [{"type": "cron", "metadata": {"a": 1}}]}}, "metadata"),
        ({"keda": {"triggers": [{**TRIGGER, "metricType": "Total"}]}}, "metricType"),
    ],
)
def test_what_cannot_work_is_refused(autoscaling: dict[str, Any], message: str) -> None:
    with pytest.raises(VrooliError, match=message):
        render(_jobs(**autoscaling))
