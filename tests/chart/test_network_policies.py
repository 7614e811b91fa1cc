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
from vrooli.chart import golden

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


INTERNET = {"networkPolicies": {"internet": {"ports": {"server": [443, 587]}}}}
PUBLIC = ("8.8.8.8", "172.15.255.255", "100.128.0.1", "223.255.255.255", "2606:4700::1111")
NAT64 = ("64:ff9b::8.8.8.8", "64:ff9b::172.15.255.255", "64:ff9b::223.255.255.255")
# Pods, Services, nodes, metadata of clouds, and other networks of a site, of both families.
PRIVATE = (
    *("10.96.0.1", "10.244.3.4", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.100.100.200"),
    *("169.254.169.254", "168.63.129.16", "127.0.0.1", "0.0.0.1", "255.255.255.255", "224.0.0.1"),
    *("192.0.0.192", "198.19.0.1", "::1", "::", "::ffff:10.0.0.1", "::10.0.0.1", "fd00:ec2::254"),
    *("fd20:ce::254", "fe80::a9fe:a9fe", "fec0::1", "ff02::1", "2002:a00:1::", "64:ff9b:1::1"),
    # Behind NAT64.
    *("64:ff9b::10.96.0.1", "64:ff9b::100.100.100.200", "64:ff9b::127.0.0.1", "64:ff9b::0.0.0.1"),
    *("64:ff9b::169.254.169.254", "64:ff9b::172.31.255.255", "64:ff9b::192.168.1.1"),
    *("64:ff9b::168.63.129.16", "64:ff9b::192.0.0.192", "64:ff9b::198.19.0.1"),
    "64:ff9b::224.0.0.1",
)


@pytest.mark.parametrize("address", [*PUBLIC, *NAT64])
def test_a_service_can_connect_to_the_internet_at_its_ports_only(address: str) -> None:
    policies = [item.body for item in render(INTERNET).values() if item.kind == "NetworkPolicy"]
    peer = Peer("", address=address)
    for name, port in product(("server", "jobs"), (443, 587, 80, 6443)):
        is_allowed = name == "server" and port in (443, 587)
        assert allows(policies, HERE, PEERS[name], peer, port) is is_allowed


@pytest.mark.parametrize("address", PRIVATE)
def test_the_internet_contains_no_private_or_special_address(address: str) -> None:
    policies = [item.body for item in render(INTERNET).values() if item.kind == "NetworkPolicy"]
    assert not allows(policies, HERE, PEERS["server"], Peer("", address=address), 443)


def test_vrooli_s_own_images_reach_the_internet_and_no_private_address() -> None:
    objects = render(golden.settings(golden.VROOLI))
    policies = [item.body for item in objects.values() if item.kind == "NetworkPolicy"]
    for name, port in product(("server", "jobs"), (443, 465, 587)):
        assert allows(policies, HERE, PEERS[name], Peer("", address="8.8.8.8"), port)
        assert not [
            address
            for address in PRIVATE
            if allows(policies, HERE, PEERS[name], Peer("", address=address), port)
        ]


MIGRATION = Peer(
    HERE,
    {
        "app.kubernetes.io/name": "vrooli",
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": "migration",
    },
)


def test_the_policies_of_the_migration_exist_before_its_job_and_allow_its_connections() -> None:
    objects = render({"migration": {"enabled": True}})
    job = objects["Job/demo-migration"]
    assert job.body["spec"]["template"]["metadata"]["labels"].items() >= MIGRATION.labels.items()
    hooks = [item for item in objects.values() if item.kind == "NetworkPolicy" and item.is_hook]
    weight = "helm.sh/hook-weight"
    assert {item.annotations["helm.sh/hook"] for item in hooks} == {"pre-upgrade"}
    assert all(int(item.annotations[weight]) < int(job.annotations[weight]) for item in hooks)
    # The first upgrade with a migration: Helm has not changed the other policies yet.
    before = [item.body for item in render(ON).values() if item.kind == "NetworkPolicy"]
    assert not allows(before, HERE, MIGRATION, PEERS["pool"], 5432)
    policies = [*before, *(item.body for item in hooks)]
    assert allows(policies, HERE, MIGRATION, PEERS["pool"], 5432)
    assert allows(policies, HERE, MIGRATION, PEERS["dns"], 53, "UDP")
    for target, port in (("primary", 5432), ("redis", 6379), ("server", 5329), ("pool", 8008)):
        assert not allows(policies, HERE, MIGRATION, PEERS[target], port)
    assert not allows(policies, HERE, MIGRATION, Peer("", address="8.8.8.8"), 443)
    assert _is_bound(policies, MIGRATION)


def test_the_policies_of_a_release_do_not_admit_the_migration() -> None:
    objects = render({"migration": {"enabled": True}}).values()
    own = [item.body for item in objects if item.kind == "NetworkPolicy" and not item.is_hook]
    assert not allows(own, HERE, MIGRATION, PEERS["pool"], 5432)
    assert not [key for key in render() if "migration" in key]
    off = {"migration": {"enabled": True}, "networkPolicies": {"enabled": False}}
    assert not [key for key in render(off) if key.startswith("NetworkPolicy/")]


def test_a_migration_connects_to_a_database_outside_the_cluster() -> None:
    outside = {
        "migration": {"enabled": True},
        "pgoPostgresql": {"enabled": False},
        "externalPostgresql": {"host": "db.example.com", "port": 5433},
    }
    policies = [item.body for item in render(outside).values() if item.kind == "NetworkPolicy"]
    assert allows(policies, HERE, MIGRATION, Peer("", address="8.8.8.8"), 5433)
    assert not allows(policies, HERE, MIGRATION, Peer("", address="8.8.8.8"), 443)


def _is_bound(policies: list[Any], peer: Peer) -> bool:
    """Whether a policy selects the pod, so that other connections are denied."""
    return not allows(policies, HERE, Peer("nowhere"), peer, 1)
