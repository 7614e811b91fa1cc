"""The supervisor goes on where the disk doesn't take what it writes."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vrooli.cluster.embedded.components.catalog import PROGRAMS
from vrooli.cluster.embedded.host import suspension
from vrooli.cluster.embedded.host.suspension import Suspension, SuspensionDetector
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import DEFAULT_HOST_CIDR, AddonImages, Record
from vrooli.cluster.embedded.supervisor import backoff, daemon, logs, supervisor
from vrooli.cluster.embedded.supervisor.report import FAILED, OFF, RUNNING, WAITING, Report
from vrooli.cluster.embedded.supervisor.supervisor import Supervisor
from vrooli.cluster.interface import ComponentStatus

RECORD = Record(
    index=0,
    host_cidr=DEFAULT_HOST_CIDR,
    ports={},
    durable=False,
    programs=dict.fromkeys(PROGRAMS, "/nowhere/program"),
    images={name: str(value) for name, value in asdict(AddonImages(Path("a.tar"))).items()},
)


@pytest.fixture
def watcher(tmp_path: Path) -> Supervisor:
    """A supervisor of a cluster whose folders aren't there."""
    return Supervisor(Layout(tmp_path / "clusters" / "one"), RECORD, {})


async def test_a_component_that_cannot_be_started_is_tried_again(
    watcher: Supervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backoff, "FIRST_BACKOFF_S", 0.001)
    keeper = asyncio.create_task(watcher._run_component(watcher._components["containerd"]))

    async def tried_thrice() -> bool:
        return watcher._report.components["containerd"].restarts >= 3

    assert await poll_until(tried_thrice, 10)
    assert not keeper.done()
    keeper.cancel()
    seen = watcher._report.components["containerd"]
    assert (seen.state, seen.detail[:18]) == (FAILED, "can't be started: ")
    assert "The status can't be written" in capsys.readouterr().err


async def test_a_full_disk_does_not_end_the_rotation_of_logs(
    watcher: Supervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = SimpleNamespace(logs=0)

    def rotate(log: Path) -> bool:
        tried.logs += 1
        raise OSError(errno.ENOSPC, "No space left on device", str(log))

    monkeypatch.setattr(supervisor, "ROTATE_S", 0.001)
    monkeypatch.setattr(supervisor.logs, "rotate", rotate)
    rotation = asyncio.create_task(watcher._rotate())

    async def twice_round() -> bool:
        return int(tried.logs) > 2 * len(watcher._components)

    assert await poll_until(twice_round, 10)
    assert not rotation.done()
    rotation.cancel()
    assert "No space left on device" in capsys.readouterr().err


async def test_a_suspension_is_reported_in_the_status_and_as_an_event_of_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    watcher = Supervisor(layout, RECORD, {})
    events: list[dict[str, Any]] = []
    clock = itertools.chain([1000.0], itertools.repeat(1600.0))

    async def create(path: str, body: dict[str, Any]) -> bool:
        events.append({"path": path, **body})
        return len(events) > 1  # the API server is not back at once

    monkeypatch.setattr(suspension, "INTERVAL_S", 0.001)
    monkeypatch.setattr(
        supervisor,
        "SuspensionDetector",
        lambda: SuspensionDetector(lambda: next(clock), lambda: 0.0),
    )
    monkeypatch.setattr(watcher._api, "create", create)
    task = asyncio.create_task(watcher._watch_clocks())

    async def recorded() -> bool:
        return len(events) > 1

    assert await poll_until(recorded, 10)
    task.cancel()
    report = Report.read(layout.status)
    assert report is not None
    assert report.suspension == Suspension(1600.0, 600.0 - 0.001)
    assert events[1]["path"] == "/api/v1/namespaces/default/events"
    assert events[1]["involvedObject"]["name"] == layout.node
    assert events[1]["message"] == report.suspension.describe()


def test_a_supervisor_that_takes_over_keeps_the_clusters_age_and_starts_all_anew(
    tmp_path: Path,
) -> None:
    parts = {
        "etcd": ComponentStatus("etcd", RUNNING, pid=7, restarts=2),
        "kube-router": ComponentStatus("kube-router", OFF, detail="no nftables"),
    }
    before = Report(4, "running", 1000.5, parts).after_restart()
    report = Supervisor(Layout(tmp_path), RECORD, {}, previous=before).report
    assert (report.supervisor, report.phase, report.since) == (os.getpid(), "starting", 1000.5)
    assert report.components["etcd"] == ComponentStatus("etcd", WAITING, restarts=3)
    assert report.components["kube-router"] == parts["kube-router"]
    assert not report.ready()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"components": {"etcd": {"age": 1}}}'])
def test_a_report_that_nobody_can_read_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text(text)
    assert Report.read(tmp_path / "status.json") is None


async def test_the_log_of_the_supervisor_itself_is_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    layout.logs.mkdir()
    own = layout.log("supervisor")
    own.write_bytes(b"x" * (logs.LIMIT_BYTES + 1))
    monkeypatch.setattr(supervisor, "ROTATE_S", 0.001)
    rotation = asyncio.create_task(Supervisor(layout, RECORD, {})._rotate())

    async def rotated() -> bool:
        return own.stat().st_size == 0

    assert await poll_until(rotated, 10)
    rotation.cancel()
    assert logs.predecessor(own).stat().st_size == logs.LIMIT_BYTES + 1


@pytest.mark.parametrize(("soft", "hard", "raised"), [(64, 300, 300), (300, 300, 300)])
def test_the_limit_of_descriptors_is_raised_to_the_hard_one(
    soft: int, hard: int, raised: int
) -> None:
    program = (
        "import resource\n"
        "from vrooli.cluster.embedded.supervisor.daemon import raise_descriptor_limit\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "raise_descriptor_limit()\n"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ended.stdout.split() == [str(raised).encode(), str(hard).encode()]


def test_the_limit_of_descriptors_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    infinite = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, infinite))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    daemon.raise_descriptor_limit()
    assert limits == [(65536, infinite)]
