"""Policies that would keep the Redis operator from Redis are found before a deploy."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from vrooli.checks.network import operator_ingress


def test_the_namespace_of_the_values_is_admitted() -> None:
    admitted = operator_ingress.admitted(site(rendered()))
    assert "redis-operator" in admitted
    assert operator_ingress.judge("redis-operator", admitted).findings == ()


@pytest.mark.parametrize("value", ["redis-operator", "data-team"])
def test_an_operator_elsewhere_is_named_with_the_value(value: str) -> None:
    policies = {"redisOperatorNamespace": value}
    admitted = operator_ingress.admitted(site(rendered(networkPolicies=policies)))
    findings = operator_ingress.judge("data-team", admitted).findings
    assert bool(findings) == (value != "data-team")
    assert all("to data-team" in finding.remediation for finding in findings)


@pytest.mark.parametrize(
    "changes",
    [
        {"networkPolicies": {"enabled": False}},
        {"spotahomeRedis": {"enabled": False}, "externalRedis": {"host": "redis.example.com"}},
    ],
)
def test_without_policies_of_redis_it_is_not_needed(changes: dict[str, Any]) -> None:
    assert operator_ingress.skip_reason(site(rendered(**changes)))
