"""What the host lacks is found, named, and the only thing that is relaxed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from support.cluster.embedded_samples import CONSTRAINED, MODERN
from vrooli.cluster.embedded.host import inspection
from vrooli.errors import PrerequisiteError

UNIFIED = "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
SPLIT = """\
30 23 0:25 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
31 30 0:26 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw
32 30 0:27 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd
33 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct
34 30 0:29 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory
"""


def test_a_modern_host_lacks_nothing() -> None:
    assert inspection.missing_requirements(MODERN) == []


def test_a_constrained_host_lacks_nothing_that_cannot_be_relaxed() -> None:
    assert inspection.missing_requirements(CONSTRAINED) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"linux": False}, "needs Linux"),
        ({"root": False}, "sudo"),
        ({"capabilities": 0}, "CAP_SYS_ADMIN"),
        ({"capabilities": 1 << 21}, "CAP_NET_ADMIN"),
        ({"missing_programs": ("nft",)}, "package nftables"),
        ({"v2_controllers": frozenset({"cpu", "cpuset", "pids"})}, "controllers memory"),
        ({"kmsg": False}, "/dev/kmsg"),
        ({"free_bytes": 5 * inspection.GIB}, "5.0 GiB free"),
    ],
)
def test_each_lack_is_named_with_its_remedy(change: dict[str, object], said: str) -> None:
    found = inspection.missing_requirements(replace(MODERN, **change))  # type: ignore[arg-type]
    assert any(said in words for words in found), found


def test_all_lacks_are_told_at_once() -> None:
    with pytest.raises(PrerequisiteError) as raised:
        inspection.require(replace(MODERN, kmsg=False, free_bytes=0))
    assert "/dev/kmsg" in raised.value.advice
    assert "VROOLI_STATE_DIR" in raised.value.advice


def test_controllers_of_an_old_hierarchy_are_wanted_on_an_old_host() -> None:
    without_pids = {name: path for name, path in CONSTRAINED.v1.items() if name != "pids"}
    found = inspection.missing_requirements(replace(CONSTRAINED, v1=MappingProxyType(without_pids)))
    assert "controllers pids" in found[0]


def test_a_unified_hierarchy_is_recognised() -> None:
    assert inspection.parse_cgroups(UNIFIED) == ({}, Path("/sys/fs/cgroup"))


def test_split_hierarchies_are_recognised_beside_an_idle_unified_one() -> None:
    v1, v2 = inspection.parse_cgroups(SPLIT)
    assert v2 == Path("/sys/fs/cgroup/unified")
    assert {name: path.name for name, path in v1.items()} == {
        "systemd": "systemd",
        "cpu": "cpu,cpuacct",
        "cpuacct": "cpu,cpuacct",
        "memory": "memory",
    }


def test_capabilities_are_read_as_bits() -> None:
    found = inspection.parse_capabilities("Name:\tx\nCapEff:\t000001fffeffffff\n")
    assert inspection.has_capability(found, inspection.CAP_SYS_ADMIN)
    assert not inspection.has_capability(found, inspection.CAP_SYS_RESOURCE)


def test_probing_this_machine_needs_no_rights(tmp_path: Path) -> None:
    seen = inspection.probe(tmp_path / "not" / "there" / "yet")
    assert seen.free_bytes > 0
    assert seen.v1 or seen.v2
