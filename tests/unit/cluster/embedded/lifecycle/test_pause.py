"""What a paused cluster reports, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout, record
from vrooli import project
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.cluster.embedded.host import freezer, suspension
from vrooli.cluster.embedded.host.suspension import CLUSTER, MACHINE, Pause, Suspension
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import pause
from vrooli.cluster.embedded.locks import hold
from vrooli.cluster.embedded.supervisor.report import Report
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.workflows.clusters import access

pytestmark = pytest.mark.anyio
# 2026-01-02T03:04:05Z
SINCE = 1767323045.0


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A cluster whose supervisor lock is held, and that is frozen."""
    place = layout(tmp_path)
    place.run.mkdir(parents=True)
    record().write(place.record)
    Report(os.getpid(), "running", SINCE).write(place.status)
    Pause(SINCE).write(place.pause)
    lock = hold(place.supervisor_lock)
    assert lock is not None
    monkeypatch.setattr(freezer, "is_frozen", lambda name: name == place.identity)
    monkeypatch.setattr(project, "state_dir", lambda: tmp_path)
    yield place
    os.close(lock)


async def test_a_paused_cluster_says_so_without_waiting_for_its_api(running: Layout) -> None:
    status = await StoredCluster("one", state_dir=running.root.parents[1]).status()
    assert (status.state, status.detail) == ("paused", "paused since 2026-01-02 03:04:05 UTC")


async def test_a_command_on_a_paused_cluster_names_the_command_that_resumes_it(
    running: Layout,
) -> None:
    with pytest.raises(PrerequisiteError, match="paused since 2026-01-02") as raised:
        async with access.connect("embedded:one"):
            pass
    assert raised.value.advice == "To resume it: `vrooli resume one`."


async def test_a_paused_cluster_has_no_images_that_could_be_listed(running: Layout) -> None:
    cluster = StoredCluster("one", state_dir=running.root.parents[1])
    assert await cluster.images() == frozenset()
    with pytest.raises(PrerequisiteError, match="is paused"):
        await cluster.load_images(Path("archive"), Progress())


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_a_stopped_cluster_is_neither_paused_nor_resumed(tmp_path: Path, act: str) -> None:
    place = layout(tmp_path)
    place.root.mkdir(parents=True)
    with pytest.raises(PrerequisiteError) as raised:
        if act == "pause":
            await pause.pause(place, Progress())
        else:
            await pause.resume(place, record(), Progress())
    assert raised.value.advice == "Start it: `vrooli cluster start one`."


@pytest.mark.parametrize(
    ("ended", "seconds", "cause"),
    [
        (SINCE + 60, 62, CLUSTER),
        (SINCE + 60, 58, CLUSTER),
        (SINCE + 600, 60, MACHINE),
        (SINCE - 5, 60, MACHINE),
    ],
)
async def test_a_gap_of_the_clocks_has_the_pause_as_its_cause_if_it_was_then(
    tmp_path: Path, ended: float, seconds: float, cause: str
) -> None:
    Pause(SINCE).write(tmp_path / "pause.json")
    gap = suspension.attributed(Suspension(ended, seconds), tmp_path / "pause.json")
    assert gap == Suspension(ended, seconds, cause)


async def test_a_damaged_record_of_a_pause_is_no_pause(tmp_path: Path) -> None:
    (tmp_path / "pause.json").write_text("{")
    gap = Suspension(SINCE, 60)
    assert suspension.attributed(gap, tmp_path / "pause.json") == gap
