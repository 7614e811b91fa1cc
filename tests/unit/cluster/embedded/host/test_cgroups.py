"""The cluster's cgroups, made in folders that stand for the kernel's."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import NEEDED_V2, Host
from vrooli.errors import PrerequisiteError


def _modern(tmp_path: Path, *more: str) -> Host:
    return Host(v2=tmp_path, v2_controllers=NEEDED_V2 | set(more))


def test_all_useful_controllers_are_handed_down_and_no_others(tmp_path: Path) -> None:
    cgroups.create(_modern(tmp_path, "hugetlb", "rdma"), "one")
    for parent in (tmp_path, tmp_path / "one"):
        given = (parent / "cgroup.subtree_control").read_text().split()
        assert set(given) == {f"+{name}" for name in NEEDED_V2 | {"hugetlb"}}
    assert (tmp_path / "one" / cgroups.PODS).is_dir()


def test_an_old_host_gets_a_cgroup_in_every_hierarchy(tmp_path: Path) -> None:
    points = {name: tmp_path / name for name in ("memory", "cpuset", "pids")}
    for point in points.values():
        point.mkdir()
    for name in ("cpuset.cpus", "cpuset.mems"):
        (points["cpuset"] / name).write_text("0-1\n")
        for child in ("", cgroups.CONTROL, cgroups.PODS):
            folder = points["cpuset"] / "one" / child
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("\n")
    cgroups.create(Host(v1=MappingProxyType(points)), "one")
    for point in points.values():
        assert (point / "one" / cgroups.CONTROL).is_dir()
    # A cpuset takes no process before it is filled.
    assert (points["cpuset"] / "one" / cgroups.PODS / "cpuset.cpus").read_text() == "0-1\n"


def test_a_host_that_refuses_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrerequisiteError, match="can't be created") as raised:
        cgroups.create(_modern(tmp_path / "file"), "one")
    assert "container" in raised.value.advice


def test_members_are_those_of_every_hierarchy_and_depth(tmp_path: Path) -> None:
    for place, pids in (("memory/one", "1\n2\n"), ("pids/one/pods/a", "3\n"), ("pids/two", "4")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "cgroup.procs").write_text(pids)
    v1 = MappingProxyType({name: tmp_path / name for name in ("memory", "pids")})
    assert cgroups.members(Host(v1=v1), "one") == {1, 2, 3}


def test_a_cgroup_that_vanishes_while_we_look_takes_no_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, pid in (("one", "1"), ("one/pods/ended", "2"), ("one/pods/stays", "3")):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "cgroup.procs").write_text(pid)
    ended, scan = tmp_path / "one/pods/ended", os.scandir

    def scandir(path: Any) -> Any:
        if str(path) == str(ended):
            (ended / "cgroup.procs").unlink()
            ended.rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert cgroups.members(_modern(tmp_path), "one") == {1, 3}


def test_a_process_joins_the_components_in_every_hierarchy(tmp_path: Path) -> None:
    cgroups.create(_modern(tmp_path), "one")
    cgroups.join(_modern(tmp_path), "one")
    joined = tmp_path / "one" / cgroups.CONTROL / "cgroup.procs"
    assert joined.read_text() == str(os.getpid())


def test_both_kinds_of_freezers_are_thawed_at_every_depth_and_no_file_is_made(
    tmp_path: Path,
) -> None:
    frozen = {
        tmp_path / "freezer/one/freezer.state": "THAWED",
        tmp_path / "freezer/one/pods/a/freezer.state": "THAWED",
        tmp_path / "unified/one/pods/a/cgroup.freeze": "0",
        tmp_path / "freezer/other/freezer.state": "FROZEN",
    }
    for file in frozen:
        file.parent.mkdir(parents=True)
        file.write_text("FROZEN")
    (tmp_path / "pids/one").mkdir(parents=True)
    v1 = MappingProxyType({name: tmp_path / name for name in ("freezer", "pids")})
    cgroups.thaw(Host(v1=v1, v2=tmp_path / "unified"), "one")
    # Folders that stand for the kernel's keep the end of a longer word.
    for file, word in frozen.items():
        assert file.read_text().startswith(word)
    assert list((tmp_path / "pids/one").iterdir()) == []
    assert not (tmp_path / "unified/one/cgroup.freeze").exists()
