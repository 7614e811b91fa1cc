"""Monitors, alert rules and the dashboard, for everything that exposes metrics.

The test clusters don't have the CRDs of Prometheus Operator. Structure and queries are checked
here, with a PromQL parser.
"""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest

from support.chart.rendering import render
from vrooli.chart.manifest import Manifest
from vrooli_jobs.moderation import MODERATION, VERDICTS
from vrooli_shared.metrics import LATENCY, QUEUED, REQUESTS

KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
ON: dict[str, Any] = {
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
    "pgoPostgresql": {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": "@daily"}}},
    "spotahomeRedis": {"exporter": {"enabled": True}},
}


def alerts(objects: dict[str, Manifest], release: str = "demo") -> dict[str, dict[str, Any]]:
    """The alert rules by name."""
    groups = objects[f"PrometheusRule/{release}"].body["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels(objects: dict[str, Manifest]) -> list[dict[str, Any]]:
    """The dashboard's panels."""
    text = objects["ConfigMap/demo-dashboard"].body["data"]["demo.json"]
    return list(json.loads(text)["panels"])


def queries(objects: dict[str, Manifest]) -> list[str]:
    """Every query, of rules and panels."""
    drawn = [target["expr"] for panel in panels(objects) for target in panel["targets"]]
    return [*(rule["expr"] for rule in alerts(objects).values()), *drawn]


def with_on(**more: Any) -> dict[str, Any]:
    """All features enabled, with these settings of monitoring."""
    return {**ON, "monitoring": {**ON["monitoring"], **more}}


def test_monitoring_is_disabled_by_default() -> None:
    objects = render({**ON, "monitoring": {"enabled": False, "services": {"server": "/metrics"}}})
    assert not KINDS & {manifest.kind for manifest in objects.values()}
    assert "ConfigMap/demo-dashboard" not in objects


def test_the_postgres_monitor_selects_pgos_labels() -> None:
    spec = render(ON)["PodMonitor/demo-postgres"].body["spec"]
    prefix = "postgres-operator.crunchydata.com"
    assert spec["selector"]["matchLabels"] == {
        f"{prefix}/cluster": "vrooli-pg",
        f"{prefix}/crunchy-postgres-exporter": "true",
    }
    assert [end["port"] for end in spec["podMetricsEndpoints"]] == ["exporter"]


def test_the_redis_monitor_selects_the_operators_labels() -> None:
    spec = render(ON)["PodMonitor/demo-redis"].body["spec"]
    assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/name": "vrooli-rf"}
    (expression,) = spec["selector"]["matchExpressions"]
    assert expression["values"] == ["redis", "sentinel"]
    assert [end["port"] for end in spec["podMetricsEndpoints"]] == ["metrics"]


@pytest.mark.parametrize(
    ("off", "monitor", "alert"),
    [
        ({"pgoPostgresql": {"monitoring": {"enabled": False}}}, "postgres", "VrooliPostgres"),
        ({"spotahomeRedis": {"exporter": {"enabled": False}}}, "redis", "VrooliRedis"),
    ],
)
def test_without_an_exporter_there_is_no_monitor_alert_or_panel(
    off: dict[str, Any], monitor: str, alert: str
) -> None:
    objects, complete = render({**ON, **off}), render(ON)
    assert f"PodMonitor/demo-{monitor}" in complete
    assert f"PodMonitor/demo-{monitor}" not in objects
    assert any(name.startswith(alert) for name in alerts(complete))
    assert not any(name.startswith(alert) for name in alerts(objects))
    assert len(panels(objects)) == len(panels(complete)) - 4


def test_a_service_monitor_selects_its_service() -> None:
    objects = render(with_on(services={"server": "/metrics", "nsfwDetector": "/stats"}))
    assert {key for key in objects if key.startswith("ServiceMonitor/")} == {
        "ServiceMonitor/demo-server",
        "ServiceMonitor/demo-jobs",
        "ServiceMonitor/demo-nsfw-detector",
    }
    spec = objects["ServiceMonitor/demo-server"].body["spec"]
    service = objects["Service/demo-server"].body
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (end,) = spec["endpoints"]
    assert end["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert end["path"] == "/metrics"


@pytest.mark.parametrize(
    ("service", "alert", "lost"),
    [("server", "VrooliServerErrors", 3), ("jobs", "VrooliQueueWaits", 2)],
)
def test_a_service_without_metrics_has_no_monitor_or_panel(
    service: str, alert: str, lost: int
) -> None:
    complete = render(ON)
    assert alert in alerts(complete)
    for off in (
        with_on(services={service: None}),
        {**ON, "services": {service: {"enabled": False}}},
    ):
        objects = render(off)
        assert f"ServiceMonitor/demo-{service}" not in objects
        assert alert not in alerts(objects)
        assert len(panels(objects)) == len(panels(complete)) - lost


def test_monitors_and_rules_have_the_configured_labels() -> None:
    objects = render(with_on(services={"server": "/metrics"}))
    selected = [manifest for manifest in objects.values() if manifest.kind in KINDS]
    assert {manifest.kind for manifest in selected} == KINDS
    for manifest in selected:
        assert manifest.body["metadata"]["labels"]["release"] == "prometheus"


def test_the_dashboard_has_the_label_of_grafanas_sidecar() -> None:
    assert render(ON)["ConfigMap/demo-dashboard"].body["metadata"]["labels"]["grafana_dashboard"]


def test_a_configured_label_takes_precedence() -> None:
    custom = {"app.kubernetes.io/instance": "other"}
    labels = render(with_on(labels=custom))["PodMonitor/demo-redis"].body["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "other"
    assert labels["app.kubernetes.io/part-of"] == "vrooli"


@pytest.mark.parametrize(
    ("part", "key"), [("alerts", "PrometheusRule/demo"), ("dashboard", "ConfigMap/demo-dashboard")]
)
def test_alerts_and_dashboard_can_be_disabled(part: str, key: str) -> None:
    assert key in render(ON)
    assert key not in render(with_on(**{part: {"enabled": False}}))


def test_every_query_is_valid_promql_for_this_namespace() -> None:
    expressions = queries(render(ON))
    assert len(expressions) > 20
    for query in expressions:
        promql_parser.parse(query)
        selectors = re.findall(r"\{[^{}]*\}", query)
        assert selectors
        for selector in selectors:
            assert selector.startswith('{namespace="somewhere"'), query


def test_application_queries_exclude_other_pods() -> None:
    """The pattern of a release called vrooli doesn't match PostgreSQL's vrooli-pg."""
    rules = alerts(render(ON, release="vrooli"), release="vrooli")
    query = rules["VrooliPodRestarts"]["expr"]
    (pattern,) = re.findall(r'pod=~"([^"]*)"', query)
    assert re.fullmatch(pattern, "vrooli-nsfw-detector-5d9c-x2x")
    assert not re.fullmatch(pattern, "vrooli-pg-instance1-abcd-0")


def test_every_alert_has_a_severity_and_a_summary() -> None:
    for rule in alerts(render(ON)).values():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+[mh]", rule["for"])


def test_the_backup_alert_requires_a_schedule() -> None:
    assert "VrooliPostgresBackupOld" in alerts(render(ON))
    never = {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": ""}}}
    assert "VrooliPostgresBackupOld" not in alerts(render({**ON, "pgoPostgresql": never}))


@pytest.mark.parametrize(("sentinels", "quorum"), [(3, 2), (4, 3), (5, 3)])
def test_the_sentinels_alert_below_a_majority(sentinels: int, quorum: int) -> None:
    redis = {**ON["spotahomeRedis"], "sentinel": {"replicas": sentinels}}
    rule = alerts(render({**ON, "spotahomeRedis": redis}))["VrooliSentinelQuorum"]
    assert rule["expr"].endswith(f"< {quorum}")


def test_the_backup_alert_includes_s3_schedules() -> None:
    s3 = {"enabled": True, "bucket": "b", "endpoint": "e", "region": "r", "secretName": "s"}
    only = {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": ""}, "s3": s3}}
    assert "VrooliPostgresBackupOld" in alerts(render({**ON, "pgoPostgresql": only}))


def test_the_queue_alert_works_without_a_verdict_series() -> None:
    """A counter without a series is empty, which doesn't equal 0."""
    query = alerts(render(ON))["VrooliQueueWaits"]["expr"]
    assert re.search(r"\(sum\(increase\(\w+\{[^}]*\}\[10m\]\)\) or vector\(0\)\) == 0$", query)


OUR_METRICS = (REQUESTS, LATENCY, QUEUED, VERDICTS, MODERATION)
# What Prometheus adds to every series, and prometheus_client to those of a histogram.
ADDED = {"namespace", "pod", "le"}
PARTS = ("", "_total", "_bucket", "_sum", "_count")


def test_queries_use_series_and_labels_of_the_services() -> None:
    available = {
        f"{family.name}{part}": {*collector._labelnames, *ADDED}
        for collector in OUR_METRICS
        for family in collector.describe()
        for part in PARTS
    }
    used = [use for query in queries(render(ON)) for use in _uses(query)]
    assert {name for name, _ in used} >= {"vrooli_http_requests_total", "vrooli_verdicts_total"}
    assert {
        (name, label) for name, label in used if label not in available.get(name, set())
    } == set()


def _uses(query: str) -> list[tuple[str, str]]:
    """Each series of the services in a query, with its labels in matchers and aggregations."""
    labels = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', query))
    for group in re.findall(r"by \(([^()]*)\)", query):
        labels |= set(group.split(", "))
    return [(name, label) for name in re.findall(r"vrooli_\w+(?=\{)", query) for label in labels]


def test_panels_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in panels(render(ON))]
    corners = {(place["x"], place["y"]) for place in places}
    assert len(corners) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in panels(render(ON))}) == len(places)
