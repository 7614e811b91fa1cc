"""Monitors, alert rules and the dashboard: there when asked for, for everything that has metrics.

The definitions of Prometheus' operator are no part of any cluster of ours: structure and queries
are judged here, by a parser of PromQL, and not by an API server.
"""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest

from support.rendering import render
from vrooli.chart.manifest import Manifest
from vrooli_jobs.moderation import MODERATION, VERDICTS
from vrooli_shared.metrics import LATENCY, QUEUED, REQUESTS

KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
ON: dict[str, Any] = {
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
    "pgoPostgresql": {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": "@daily"}}},
    "spotahomeRedis": {"exporter": {"enabled": True}},
}


def alerts(found: dict[str, Manifest], release: str = "demo") -> dict[str, dict[str, Any]]:
    """The alert rules by name."""
    groups = found[f"PrometheusRule/{release}"].body["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels(found: dict[str, Manifest]) -> list[dict[str, Any]]:
    """The dashboard's panels."""
    text = found["ConfigMap/demo-dashboard"].body["data"]["demo.json"]
    return list(json.loads(text)["panels"])


def queries(found: dict[str, Manifest]) -> list[str]:
    """Every query, of rules and panels."""
    drawn = [target["expr"] for panel in panels(found) for target in panel["targets"]]
    return [*(rule["expr"] for rule in alerts(found).values()), *drawn]


def with_on(**more: Any) -> dict[str, Any]:
    """Everything on, with other settings of monitoring."""
    return {**ON, "monitoring": {**ON["monitoring"], **more}}


def test_nothing_is_monitored_unless_asked_for() -> None:
    found = render({**ON, "monitoring": {"enabled": False, "services": {"server": "/metrics"}}})
    assert not KINDS & {manifest.kind for manifest in found.values()}
    assert "ConfigMap/demo-dashboard" not in found


def test_the_exporters_of_postgres_are_found_by_pgos_labels() -> None:
    spec = render(ON)["PodMonitor/demo-postgres"].body["spec"]
    prefix = "postgres-operator.crunchydata.com"
    assert spec["selector"]["matchLabels"] == {
        f"{prefix}/cluster": "vrooli-pg",
        f"{prefix}/crunchy-postgres-exporter": "true",
    }
    assert [end["port"] for end in spec["podMetricsEndpoints"]] == ["exporter"]


def test_the_exporters_of_redis_and_sentinel_are_found_by_the_operators_labels() -> None:
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
def test_without_an_exporter_there_is_neither_monitor_nor_alert_nor_panel(
    off: dict[str, Any], monitor: str, alert: str
) -> None:
    found, everything = render({**ON, **off}), render(ON)
    assert f"PodMonitor/demo-{monitor}" in everything
    assert f"PodMonitor/demo-{monitor}" not in found
    assert any(name.startswith(alert) for name in alerts(everything))
    assert not any(name.startswith(alert) for name in alerts(found))
    assert len(panels(found)) == len(panels(everything)) - 4


def test_a_service_with_metrics_is_found_by_its_own_service() -> None:
    found = render(with_on(services={"server": "/metrics", "nsfwDetector": "/stats"}))
    assert {key for key in found if key.startswith("ServiceMonitor/")} == {
        "ServiceMonitor/demo-server",
        "ServiceMonitor/demo-jobs",
        "ServiceMonitor/demo-nsfw-detector",
    }
    spec = found["ServiceMonitor/demo-server"].body["spec"]
    service = found["Service/demo-server"].body
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (end,) = spec["endpoints"]
    assert end["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert end["path"] == "/metrics"


@pytest.mark.parametrize(
    ("service", "alert", "lost"),
    [("server", "VrooliServerErrors", 3), ("jobs", "VrooliQueueWaits", 2)],
)
def test_a_service_that_is_off_or_not_asked_for_metrics_is_neither_watched_nor_drawn(
    service: str, alert: str, lost: int
) -> None:
    everything = render(ON)
    assert alert in alerts(everything)
    for off in (
        with_on(services={service: None}),
        {**ON, "services": {service: {"enabled": False}}},
    ):
        found = render(off)
        assert f"ServiceMonitor/demo-{service}" not in found
        assert alert not in alerts(found)
        assert len(panels(found)) == len(panels(everything)) - lost


def test_prometheus_finds_monitors_and_rules_by_the_given_labels() -> None:
    found = render(with_on(services={"server": "/metrics"}))
    asked = [manifest for manifest in found.values() if manifest.kind in KINDS]
    assert {manifest.kind for manifest in asked} == KINDS
    for manifest in asked:
        assert manifest.body["metadata"]["labels"]["release"] == "prometheus"


def test_grafanas_sidecar_finds_the_dashboard_by_its_label() -> None:
    assert render(ON)["ConfigMap/demo-dashboard"].body["metadata"]["labels"]["grafana_dashboard"]


def test_a_label_that_prometheus_wants_otherwise_wins() -> None:
    wanted = {"app.kubernetes.io/instance": "other"}
    labels = render(with_on(labels=wanted))["PodMonitor/demo-redis"].body["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "other"
    assert labels["app.kubernetes.io/part-of"] == "vrooli"


@pytest.mark.parametrize(
    ("part", "key"), [("alerts", "PrometheusRule/demo"), ("dashboard", "ConfigMap/demo-dashboard")]
)
def test_alerts_and_dashboard_can_be_left_out(part: str, key: str) -> None:
    assert key in render(ON)
    assert key not in render(with_on(**{part: {"enabled": False}}))


def test_every_query_is_promql_and_asks_for_this_namespace_only() -> None:
    found = queries(render(ON))
    assert len(found) > 20
    for query in found:
        promql_parser.parse(query)
        selectors = re.findall(r"\{[^{}]*\}", query)
        assert selectors
        for selector in selectors:
            assert selector.startswith('{namespace="somewhere"'), query


def test_queries_over_the_application_leave_other_pods_out() -> None:
    """A release called vrooli doesn't take PostgreSQL's vrooli-pg for one of its services."""
    found = alerts(render(ON, release="vrooli"), release="vrooli")
    query = found["VrooliPodRestarts"]["expr"]
    (pattern,) = re.findall(r'pod=~"([^"]*)"', query)
    assert re.fullmatch(pattern, "vrooli-nsfw-detector-5d9c-x2x")
    assert not re.fullmatch(pattern, "vrooli-pg-instance1-abcd-0")


def test_every_alert_says_how_grave_it_is_and_what_it_means() -> None:
    for rule in alerts(render(ON)).values():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+[mh]", rule["for"])


def test_old_backups_alert_only_where_there_is_a_schedule() -> None:
    assert "VrooliPostgresBackupOld" in alerts(render(ON))
    never = {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": ""}}}
    assert "VrooliPostgresBackupOld" not in alerts(render({**ON, "pgoPostgresql": never}))


@pytest.mark.parametrize(("sentinels", "quorum"), [(3, 2), (4, 3), (5, 3)])
def test_the_sentinels_alert_below_a_majority(sentinels: int, quorum: int) -> None:
    redis = {**ON["spotahomeRedis"], "sentinel": {"replicas": sentinels}}
    rule = alerts(render({**ON, "spotahomeRedis": redis}))["VrooliSentinelQuorum"]
    assert rule["expr"].endswith(f"< {quorum}")


def test_old_backups_alert_where_only_those_in_s3_have_a_schedule() -> None:
    s3 = {"enabled": True, "bucket": "b", "endpoint": "e", "region": "r", "secretName": "s"}
    only = {"monitoring": {"enabled": True}, "backup": {"schedules": {"full": ""}, "s3": s3}}
    assert "VrooliPostgresBackupOld" in alerts(render({**ON, "pgoPostgresql": only}))


def test_a_queue_alerts_also_where_no_verdict_was_ever_counted() -> None:
    """A counter without a series is nothing, which equals no 0."""
    query = alerts(render(ON))["VrooliQueueWaits"]["expr"]
    assert re.search(r"\(sum\(increase\(\w+\{[^}]*\}\[10m\]\)\) or vector\(0\)\) == 0$", query)


OUR_METRICS = (REQUESTS, LATENCY, QUEUED, VERDICTS, MODERATION)
# What Prometheus adds to every series, and prometheus_client to those of a histogram.
ADDED = {"namespace", "pod", "le"}
PARTS = ("", "_total", "_bucket", "_sum", "_count")


def test_our_own_series_and_labels_are_those_that_the_services_make() -> None:
    known = {
        f"{family.name}{part}": {*collector._labelnames, *ADDED}
        for collector in OUR_METRICS
        for family in collector.describe()
        for part in PARTS
    }
    used = [use for query in queries(render(ON)) for use in _uses(query)]
    assert {name for name, _ in used} >= {"vrooli_http_requests_total", "vrooli_verdicts_total"}
    assert {(name, label) for name, label in used if label not in known.get(name, set())} == set()


def _uses(query: str) -> list[tuple[str, str]]:
    """Each series of ours in a query, with each label that it is asked by or summed by."""
    labels = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', query))
    for given in re.findall(r"by \(([^()]*)\)", query):
        labels |= set(given.split(", "))
    return [(name, label) for name in re.findall(r"vrooli_\w+(?=\{)", query) for label in labels]


def test_the_panels_lie_beside_and_below_each_other() -> None:
    places = [panel["gridPos"] for panel in panels(render(ON))]
    corners = {(place["x"], place["y"]) for place in places}
    assert len(corners) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in panels(render(ON))}) == len(places)
