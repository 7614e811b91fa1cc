"""Which addresses a cluster link uses."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from vrooli.cluster.embedded.network import namespace
from vrooli.cluster.embedded.settings import HostLink, Settings
from vrooli.errors import PrerequisiteError, UsageError

RANGE = "10.213.0.0/16"


def _networks(*texts: str) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(text) for text in texts]


def test_the_first_link_has_the_first_addresses() -> None:
    assert namespace.choose_link(RANGE, [], None) == HostLink(
        0, "vrooli0", "10.213.0.1", "10.213.0.2"
    )


def test_a_range_in_use_is_passed_over() -> None:
    taken = _networks("10.213.0.0/30", "10.213.0.6/32")
    assert namespace.choose_link(RANGE, taken, None).node_ip == "10.213.0.10"


def test_a_cluster_keeps_its_link_while_it_is_free() -> None:
    assert namespace.choose_link(RANGE, [], 7).index == 7


def test_a_cluster_takes_another_link_when_its_own_is_taken() -> None:
    assert namespace.choose_link(RANGE, _networks("10.213.0.28/30"), 7).index == 0


def test_a_range_that_is_wholly_in_use_is_an_error_that_says_how_to_choose_another() -> None:
    with pytest.raises(PrerequisiteError, match=r"10\.213\.0\.0/16") as raised:
        namespace.choose_link(RANGE, _networks("10.0.0.0/8"), None)
    assert "VROOLI_HOST_CIDR" in raised.value.advice


@pytest.mark.parametrize(
    ("used", "advised"),
    [
        (["10.0.0.0/8"], "such as 172.31.240.0/24"),
        (["10.0.0.0/8", "172.16.0.0/12"], "such as 192.168.240.0/24"),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], "such as 100.127.240.0/24"),
        (
            ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"],
            "`ip route show table all`",
        ),
    ],
)
def test_the_range_that_is_proposed_is_free(used: list[str], advised: str) -> None:
    with pytest.raises(PrerequisiteError) as raised:
        namespace.choose_link(RANGE, _networks(*used), None)
    assert advised in raised.value.advice


def test_routes_and_addresses_count_as_taken_but_the_default_route_does_not() -> None:
    routes = json.dumps([{"dst": "default"}, {"dst": "10.1.0.0/16"}, {"dst": "10.2.0.1"}])
    addresses = json.dumps(
        [
            {"addr_info": [{"family": "inet", "local": "10.3.0.9", "prefixlen": 24}]},
            {"addr_info": [{"family": "inet6", "local": "fe80::1", "prefixlen": 64}]},
            {},
        ]
    )
    found = namespace.parse_used_networks(routes, addresses)
    assert found == _networks("10.1.0.0/16", "10.2.0.1/32", "10.3.0.0/24")


WIREGUARD = "0.0.0.0/5 8.0.0.0/7 11.0.0.0/8 12.0.0.0/6 16.0.0.0/4 32.0.0.0/3 64.0.0.0/2"


@pytest.mark.parametrize(
    "routes",
    [
        [{"dst": "0.0.0.0/1"}, {"dst": "128.0.0.0/1"}],
        [{"dst": "0.0.0.0/0", "table": "51820"}],
        [{"dst": "default", "table": "52"}, {"dst": "0.0.0.0/2"}, {"dst": "192.0.0.0/2"}],
        [{"dst": network} for network in WIREGUARD.split()],
    ],
)
@pytest.mark.parametrize("host_cidr", [RANGE, "172.31.240.0/24"])
def test_routes_of_a_vpn_that_takes_all_traffic_use_no_address(
    routes: list[dict[str, str]], host_cidr: str
) -> None:
    used = namespace.parse_used_networks(json.dumps(routes), "[]")
    assert namespace.choose_link(host_cidr, used, None).index == 0


def test_the_tunnels_own_network_is_in_use_beside_such_routes() -> None:
    routes = json.dumps([{"dst": "0.0.0.0/1"}, {"dst": "10.8.0.0/24"}])
    used = namespace.parse_used_networks(routes, "[]")
    with pytest.raises(PrerequisiteError):
        namespace.choose_link("10.8.0.0/24", used, None)


def test_a_policy_rule_that_takes_the_links_traffic_is_named_with_its_table() -> None:
    answer = json.dumps([{"dst": "10.213.0.2", "dev": "tailscale0", "table": "52"}])
    with pytest.raises(PrerequisiteError, match=r"tailscale0 \(routing table 52\)") as raised:
        namespace.require_route(HostLink.at(RANGE, 0), answer)
    assert "ip rule add to 10.213.0.0/30 lookup main" in raised.value.advice


def test_no_route_to_the_link_is_an_error() -> None:
    with pytest.raises(PrerequisiteError, match="nowhere"):
        namespace.require_route(HostLink.at(RANGE, 0), "")


def test_the_links_own_route_is_accepted() -> None:
    answer = json.dumps([{"dst": "10.213.0.2", "dev": "vrooli0"}])
    namespace.require_route(HostLink.at(RANGE, 0), answer)


def test_no_routes_at_all_is_no_error() -> None:
    assert namespace.parse_used_networks("", "[]") == []


@pytest.mark.parametrize("host_cidr", ["10.0.0.0/31", "10.0.0.1/24", "fd00::/64", "nothing"])
def test_a_range_that_contains_no_link_is_refused(host_cidr: str) -> None:
    with pytest.raises(UsageError, match="range"):
        Settings(host_cidr=host_cidr)


def test_the_range_can_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VROOLI_HOST_CIDR", "172.31.240.0/24")
    assert Settings().host_cidr == "172.31.240.0/24"


def test_a_clusters_devices_are_known_by_their_alias_alone(tmp_path: Path) -> None:
    for link, alias in (("vrooli0", "vrooli-one"), ("vrooli1", "vrooli-two"), ("eth0", "")):
        (tmp_path / link).mkdir()
        (tmp_path / link / "ifalias").write_text(f"{alias}\n")
    assert namespace.find_links("vrooli-two", tmp_path) == ["vrooli1"]
