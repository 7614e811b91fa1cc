"""Which addresses a cluster's cable takes."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from vrooli.cluster.embedded import network
from vrooli.cluster.embedded.settings import Cable, Settings
from vrooli.errors import EnvironmentLackError, UsageError

RANGE = "10.213.0.0/16"


def _networks(*texts: str) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(text) for text in texts]


def test_the_first_cable_has_the_first_addresses() -> None:
    assert network.choose(RANGE, [], None) == Cable(0, "vrooli0", "10.213.0.1", "10.213.0.2")


def test_a_range_in_use_is_passed_over() -> None:
    taken = _networks("10.213.0.0/30", "10.213.0.6/32")
    assert network.choose(RANGE, taken, None).node_ip == "10.213.0.10"


def test_a_cluster_keeps_its_cable_while_it_is_free() -> None:
    assert network.choose(RANGE, [], 7).index == 7


def test_a_cluster_takes_another_cable_when_its_own_is_taken() -> None:
    assert network.choose(RANGE, _networks("10.213.0.28/30"), 7).index == 0


def test_a_range_that_is_wholly_in_use_is_an_error_that_says_how_to_choose_another() -> None:
    with pytest.raises(EnvironmentLackError, match=r"10\.213\.0\.0/16") as raised:
        network.choose(RANGE, _networks("10.0.0.0/8"), None)
    assert "VROOLI_CABLES" in raised.value.advice


def test_routes_and_addresses_count_as_taken_but_the_default_route_does_not() -> None:
    routes = json.dumps([{"dst": "default"}, {"dst": "10.1.0.0/16"}, {"dst": "10.2.0.1"}])
    addresses = json.dumps(
        [
            {"addr_info": [{"family": "inet", "local": "10.3.0.9", "prefixlen": 24}]},
            {"addr_info": [{"family": "inet6", "local": "fe80::1", "prefixlen": 64}]},
            {},
        ]
    )
    found = network.parse_taken(routes, addresses)
    assert found == _networks("10.1.0.0/16", "10.2.0.1/32", "10.3.0.0/24")


def test_no_routes_at_all_is_no_error() -> None:
    assert network.parse_taken("", "[]") == []


@pytest.mark.parametrize("cables", ["10.0.0.0/31", "10.0.0.1/24", "fd00::/64", "nothing"])
def test_a_range_that_holds_no_cable_is_refused(cables: str) -> None:
    with pytest.raises(UsageError, match="range"):
        Settings(cables=cables)


def test_the_range_can_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VROOLI_CABLES", "172.31.240.0/24")
    assert Settings().cables == "172.31.240.0/24"


def test_a_clusters_devices_are_known_by_their_alias_alone(tmp_path: Path) -> None:
    for link, alias in (("vrooli0", "vrooli-one"), ("vrooli1", "vrooli-two"), ("eth0", "")):
        (tmp_path / link).mkdir()
        (tmp_path / link / "ifalias").write_text(f"{alias}\n")
    assert network.links_of("vrooli-two", tmp_path) == ["vrooli1"]
