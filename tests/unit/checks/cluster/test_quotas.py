"""What quotas leave for the pods of a release."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import pod
from vrooli.checks.cluster import quotas
from vrooli.checks.nodes.planned_pods import PodGroup

PLANNED = [PodGroup("server", 2, {"cpu": 0.5, "memory": 1024**3})]


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "team", "namespace": "dev"},
        "spec": {"hard": hard, **spec},
        "status": {"used": used},
    }


@pytest.mark.parametrize(
    ("hard", "used", "message"),
    [
        ({"requests.cpu": "1"}, {"requests.cpu": "0"}, ""),
        (
            {"requests.cpu": "1"},
            {"requests.cpu": "100m"},
            "1000m of requests.cpu, and it leaves 900",
        ),
        ({"memory": "2Gi"}, {"memory": "1Gi"}, "2048Mi of memory, and it leaves 1024Mi"),
        ({"count/pods": "4"}, {"count/pods": "3"}, "2 of count/pods, and it leaves 1"),
        ({"services": "0"}, {"services": "9"}, ""),
    ],
)
def test_what_is_left_is_compared_with_all_pods_together(
    hard: dict[str, str], used: dict[str, str], message: str
) -> None:
    findings = quotas.judge(PLANNED, [], [quota(hard, used)])
    assert [message in finding.message for finding in findings] == [True] * bool(message)


def test_the_running_pods_of_the_release_free_what_they_use() -> None:
    own = [pod("500m", "1Gi"), pod("500m", "1Gi")]
    full = quota({"cpu": "1", "pods": "2"}, {"cpu": "1", "pods": "2"})
    assert quotas.judge(PLANNED, own, [full]) == ()
    assert len(quotas.judge(PLANNED, own[1:], [full])) == 2


@pytest.mark.parametrize(
    "spec",
    [{"scopes": ["BestEffort"]}, {"scopes": ["Terminating"]}, {"scopeSelector": {"x": "y"}}],
)
def test_a_quota_for_other_pods_does_not_count(spec: dict[str, Any]) -> None:
    assert quotas.judge(PLANNED, [], [quota({"pods": "0"}, {}, **spec)]) == ()
