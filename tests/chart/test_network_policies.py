"""The NetworkPolicies allow the architecture's connections and operational ones, nothing else.

Evaluates the rules only, without network connections.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from support.chart.architecture import ARROWS, BOUND, HERE, METRICS, PAIRS, PEERS, UPKEEP
from support.chart.network_policies import Peer, allows
from support.chart.rendering import render

ON: dict[str, Any] = {
    "ingress": {
        "enabled": True,
        "hosts": [
            {
                "host": "a.example.com",
                "paths": [{"path": "/api", "service": "server"}, {"path": "/", "service": "ui"}],
            }
        ],
    },
    "monitoring": {"enabled": True},
    "pgoPostgresql": {"monitoring": {"enabled": True}},
    "spotahomeRedis": {"exporter": {"enabled": True}},
}


@pytest.fixture(scope="module")
def policies() -> list[Any]:
    """The policies with all features enabled."""
    return [item.body for item in render(ON).values() if item.kind == "NetworkPolicy"]


def test_network_policies_can_be_disabled() -> None:
    off = {"networkPolicies": {"enabled": False}}
    assert [key for key in render() if key.startswith("NetworkPolicy/")]
    assert not [key for key in render(off) if key.startswith("NetworkPolicy/")]


@pytest.mark.parametrize("arrow", sorted(ARROWS), ids=lambda arrow: f"{arrow[0]} to {arrow[1]}")
def test_each_connection_of_the_architecture_is_allowed(
    policies: list[Any], arrow: tuple[str, str, int]
) -> None:
    source, target, port = arrow
    assert allows(policies, HERE, PEERS[source], PEERS[target], port)


def test_operational_connections_are_allowed(policies: list[Any]) -> None:
    assert {
        (source, target, port)
        for source, target, port in UPKEEP | METRICS
        if not allows(policies, HERE, PEERS[source], PEERS[target], port)
    } == set()


EXPORTERS = (("primary", 9187), ("redis", 9121), ("redis", 9355))


@pytest.mark.parametrize("runs", [True, False])
def test_an_external_prometheus_can_scrape_exporters(runs: bool) -> None:
    settings = {
        "pgoPostgresql": {"monitoring": {"enabled": runs}},
        "spotahomeRedis": {"exporter": {"enabled": runs}},
    }
    policies = [item.body for item in render(settings).values() if item.kind == "NetworkPolicy"]
    for name, port in EXPORTERS:
        assert allows(policies, HERE, PEERS["prometheus"], PEERS[name], port) is runs
        assert not allows(policies, HERE, Peer("elsewhere"), PEERS[name], port)


def test_every_other_connection_is_denied(policies: list[Any]) -> None:
    refused = [pair for pair in PAIRS if pair not in ARROWS | UPKEEP | METRICS]
    assert len(refused) > 200
    assert [
        (source, target, port)
        for source, target, port in refused
        if allows(policies, HERE, PEERS[source], PEERS[target], port)
    ] == []


def test_only_pods_of_the_release_are_selected(policies: list[Any]) -> None:
    assert {name for name, peer in PEERS.items() if _is_bound(policies, peer)} == set(BOUND)


@pytest.mark.parametrize(
    "name", ["ui", "server", "jobs", "adminer", "primary", "redis", "test", "rotator"]
)
def test_every_pod_can_use_dns(policies: list[Any], name: str) -> None:
    for protocol in ("UDP", "TCP"):
        assert allows(policies, HERE, PEERS[name], PEERS["dns"], 53, protocol)
    assert not allows(policies, HERE, PEERS[name], Peer("elsewhere"), 53, "UDP")


def test_the_ingress_controller_can_connect_to_exposed_services_only(policies: list[Any]) -> None:
    assert not allows(policies, HERE, PEERS["ingress"], PEERS["adminer"], 8080)
    paths = [{"path": "/", "service": "adminer"}]
    exposed = render({**ON, "ingress": {"enabled": True, "hosts": [{"host": "", "paths": paths}]}})
    policies = [item.body for item in exposed.values() if item.kind == "NetworkPolicy"]
    assert allows(policies, HERE, PEERS["ingress"], PEERS["adminer"], 8080)
    assert not allows(policies, HERE, PEERS["ingress"], PEERS["ui"], 3000)


def test_external_databases_are_allowed_at_their_ports_only() -> None:
    objects = render(
        {
            **ON,
            "pgoPostgresql": {"enabled": False},
            "externalPostgresql": {"host": "db.example.com", "port": 5433},
            "spotahomeRedis": {"enabled": False},
            "externalRedis": {"host": "redis.example.com", "port": 6380},
        }
    )
    policies = [item.body for item in objects.values() if item.kind == "NetworkPolicy"]
    outside = PEERS["api"]
    for name, port in product(("server", "jobs"), (5433, 6380)):
        assert allows(policies, HERE, PEERS[name], outside, port)
    assert allows(policies, HERE, PEERS["adminer"], outside, 5433)
    for name, port in (("server", 5432), ("adminer", 6380), ("ui", 5433), ("jobs", 443)):
        assert not allows(policies, HERE, PEERS[name], outside, port)


@pytest.mark.parametrize(("endpoint", "port"), [("s3.example.com:9000", 9000), ("s3.test", 443)])
def test_backups_can_connect_to_s3(endpoint: str, port: int) -> None:
    s3 = {"enabled": True, "bucket": "b", "endpoint": endpoint, "region": "r", "secretName": "s"}
    settings = {
        "networkPolicies": {"apiServer": {"cidrs": ["198.51.100.1/32"]}},
        "pgoPostgresql": {"backup": {"s3": s3}},
    }
    policies = [item.body for item in render(settings).values() if item.kind == "NetworkPolicy"]
    assert allows(policies, HERE, PEERS["backups"], PEERS["api"], port)
    assert not allows(policies, HERE, PEERS["backups"], PEERS["api"], 6443)


@pytest.mark.parametrize("name", ["primary", "pool", "backups", "rotator"])
@pytest.mark.parametrize("address", ["203.0.113.7", "8.8.8.8", "169.254.169.254"])
def test_databases_cannot_connect_to_addresses_outside(
    policies: list[Any], name: str, address: str
) -> None:
    for port in (443, 6443, 8443, 80, 5432):
        assert not allows(policies, HERE, PEERS[name], Peer("", address=address), port)


def test_backups_can_connect_to_the_addresses_of_their_storage_only() -> None:
    s3 = {"enabled": True, "bucket": "b", "endpoint": "s3.test", "region": "r", "secretName": "s"}
    s3 |= {"cidrs": ["203.0.113.0/24"]}
    settings = {"pgoPostgresql": {"backup": {"s3": s3}}}
    policies = [item.body for item in render(settings).values() if item.kind == "NetworkPolicy"]
    for address, is_allowed in (("203.0.113.7", True), ("8.8.8.8", False)):
        peer = Peer("", address=address)
        assert allows(policies, HERE, PEERS["backups"], peer, 443) is is_allowed
        assert not allows(policies, HERE, PEERS["backups"], peer, 80)


def test_egress_can_be_extended_per_service() -> None:
    rule = {"ports": [{"protocol": "TCP", "port": 443}]}
    settings = {"networkPolicies": {"extraEgress": {"server": [rule]}}}
    policies = [item.body for item in render(settings).values() if item.kind == "NetworkPolicy"]
    assert allows(policies, HERE, PEERS["server"], PEERS["api"], 443)
    assert not allows(policies, HERE, PEERS["jobs"], PEERS["api"], 443)


def _is_bound(policies: list[Any], peer: Peer) -> bool:
    """Whether a policy selects the pod, so that other connections are denied."""
    return not allows(policies, HERE, Peer("nowhere"), peer, 1)
