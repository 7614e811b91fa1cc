"""What the API says is no older than the cluster's start."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.cluster.embedded.lifecycle.readiness import stale_pods
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.cluster.interface import ComponentStatus

# 2026-01-02T03:04:05Z, and a bit: the API's times have no fractions.
SINCE = 1767323045.7


def _pod(state: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "one"}, "status": {"containerStatuses": [{"state": state}]}}


@pytest.mark.parametrize(
    ("state", "stale"),
    [
        ({"running": {"startedAt": "2026-01-02T03:04:04Z"}}, True),
        ({"running": {"startedAt": "2026-01-02T03:04:05Z"}}, False),
        ({"running": {"startedAt": "2026-01-02T03:05:00Z"}}, False),
        ({"waiting": {"reason": "ContainerCreating"}}, False),
        ({"terminated": {"startedAt": "2026-01-01T00:00:00Z"}}, False),
        ({}, False),
    ],
)
def test_a_container_that_claims_to_run_since_before_the_start_is_stale(
    state: dict[str, Any], stale: bool
) -> None:
    assert stale_pods([_pod(state)], SINCE) == (["one"] if stale else [])


def test_a_pod_without_status_is_not_stale() -> None:
    assert stale_pods([{"metadata": {"name": "one"}}], SINCE) == []


def _report(**states: str) -> Report:
    return Report(1, "running", SINCE, {n: ComponentStatus(n, s) for n, s in states.items()})


def test_a_cluster_is_ready_when_every_component_runs() -> None:
    assert _report(a="running", b="running").ready()
    assert not _report(a="running", b="starting").ready()
    assert not _report().ready()


def test_single_components_can_be_asked_for() -> None:
    assert _report(a="running", b="failed").ready("a")
    assert not _report(a="running").ready("unknown")
