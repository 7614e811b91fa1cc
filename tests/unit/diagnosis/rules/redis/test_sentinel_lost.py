"""The rule redis-sentinel-lost-master."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, found, with_objects
from support.diagnosis.healthy_release import REDIS, RF, SENTINEL, redis_pod, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import sentinel_lost

CASES: Cases = {
    "a Sentinel that watches itself": (
        str(RF),
        with_answer(
            "redis-info", SENTINEL, "master0:name=mymaster,address=127.0.0.1:6379,sentinels=1"
        ),
    ),
    "no Redis leads": (
        str(RF),
        with_answer("redis-info", REDIS, "role:slave\r\nmaster_host:127.0.0.1"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(sentinel_lost.RULE, *CASES[case])


def test_young_sentinels_are_given_time_to_learn_their_master() -> None:
    lost = CASES["a Sentinel that watches itself"][1]
    young = redis_pod(SENTINEL, "sentinel")
    young["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=30)).isoformat()
    assert found(sentinel_lost.RULE, with_objects(lost, young)) == []


def test_sentinels_whose_process_was_started_again_are_given_that_time() -> None:
    lost = CASES["a Sentinel that watches itself"][1]
    restarted = redis_pod(SENTINEL, "sentinel")
    state = restarted["status"]["containerStatuses"][0]["state"]
    state["running"] = {"startedAt": (NOW - timedelta(seconds=30)).isoformat()}
    assert found(sentinel_lost.RULE, with_objects(lost, restarted)) == []
