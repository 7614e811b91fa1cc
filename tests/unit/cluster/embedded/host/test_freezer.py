"""Which file freezes a cgroup, and what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.cluster.embedded.host import freezer
from vrooli.cluster.embedded.host.freezer import Freezer
from vrooli.errors import PrerequisiteError, VrooliError

pytestmark = pytest.mark.anyio
V1 = "38 31 0:34 / {0}/freezer rw,relatime - cgroup cgroup rw,freezer\n"
V2 = "41 31 0:38 / {0}/unified rw,relatime - cgroup2 cgroup2 rw\n"


def mounts(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text("".join(lines).format(tmp_path))
    for name in ("freezer", "unified"):
        (tmp_path / name / "one").mkdir(parents=True)
    return path


def found(path: Path) -> Freezer:
    freezing = Freezer.of("one", path)
    assert freezing is not None
    return freezing


async def test_the_freezer_of_v1_comes_first(tmp_path: Path) -> None:
    freezing = found(mounts(tmp_path, V1, V2))
    freezing.control.write_text("THAWED\n")
    assert not freezing.is_frozen()
    await freezing.freeze()
    assert (tmp_path / "freezer/one/freezer.state").read_text() == "FROZEN"
    assert freezing.is_frozen()
    freezing.thaw()
    assert not freezing.is_frozen()


async def test_v2_is_frozen_once_its_events_show_it(tmp_path: Path) -> None:
    freezing = found(mounts(tmp_path, V2))
    (tmp_path / "unified/one/cgroup.events").write_text("populated 1\nfrozen 1\n")
    await freezing.freeze()
    assert (tmp_path / "unified/one/cgroup.freeze").read_text() == "1"
    assert freezing.is_frozen()


async def test_processes_that_do_not_freeze_are_thawed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezer, "FREEZE_S", 0.01)
    freezing = found(mounts(tmp_path, V2))
    (tmp_path / "unified/one/cgroup.events").write_text("populated 1\nfrozen 0\n")
    with pytest.raises(VrooliError, match="did not freeze"):
        await freezing.freeze()
    assert not freezing.is_frozen()


async def test_a_cluster_that_does_not_run_is_not_frozen(tmp_path: Path) -> None:
    freezing = Freezer.of("other", mounts(tmp_path, V1))
    assert freezing is not None
    assert not freezing.is_frozen()


async def test_a_host_without_a_freezer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Freezer, "of", lambda name: None)
    with pytest.raises(PrerequisiteError, match="no cgroup freezer"):
        freezer.demand("one")
