"""Policies that would cut PostgreSQL off from the API server are found before a deploy."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import rendered, site
from vrooli.checks.network import api_server_egress


def endpoints(*addresses: str, port: int = 6443) -> list[dict[str, Any]]:
    """The endpoints of the Service kubernetes."""
    return [
        {
            "metadata": {"name": "kubernetes", "namespace": "default"},
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": list(addresses)}],
        }
    ]


def policies(**changes: Any) -> list[Any]:
    """The release's policies with addresses."""
    return api_server_egress.policies(site(rendered(**changes)))


def test_policies_of_postgres_and_the_rotator_have_addresses() -> None:
    names = [policy["metadata"]["name"] for policy in policies()]
    assert names == ["vrooli-dev-rotator", "vrooli-dev-postgres"]


@pytest.mark.parametrize(
    "address", ["10.96.0.1", "172.20.0.5", "192.168.49.2", "100.64.3.4", "fd00:10:96::1"]
)
def test_private_addresses_of_the_api_server_are_allowed(address: str) -> None:
    result = api_server_egress.judge(policies(), endpoints(address))
    assert not result.findings
    assert address in result.summary


@pytest.mark.parametrize(
    ("address", "port", "location", "value"),
    [
        ("203.0.113.9", 443, "203.0.113.9:443", "203.0.113.9/32"),
        ("2001:db8::1", 6443, "[2001:db8::1]:6443", "2001:db8::1/128"),
        ("10.0.0.1", 16443, "10.0.0.1:16443", "10.0.0.1/32"),
    ],
)
def test_an_endpoint_that_no_policy_allows_is_named_with_the_value_to_set(
    address: str, port: int, location: str, value: str
) -> None:
    result = api_server_egress.judge(policies(), endpoints("10.96.0.2", address, port=port))
    found = [item for item in result.findings if location in item.message]
    assert len(found) == 1
    assert value in found[0].remediation
    assert str(port) in found[0].remediation


def test_every_policy_must_allow_the_endpoint() -> None:
    narrow = policies(networkPolicies={"apiServer": {"cidrs": ["10.96.0.1/32"]}})
    assert not api_server_egress.judge(narrow, endpoints("10.96.0.1")).findings
    mixed = [narrow[0], policies()[1]]
    assert api_server_egress.judge(mixed, endpoints("10.97.0.1")).findings


def test_without_policies_or_endpoints_nothing_is_claimed() -> None:
    off = site(rendered(networkPolicies={"enabled": False}))
    assert api_server_egress.skip_reason(off)
    assert api_server_egress.judge(policies(), []).unavailable
