"""What the supervisor says, and what is read from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout, record
from vrooli.cluster.embedded.host.suspension import Suspension
from vrooli.cluster.embedded.supervisor.report import FAILED, OFF, RUNNING, STARTING, Report
from vrooli.cluster.embedded.supervisor.supervisor import Supervisor
from vrooli.cluster.interface import ComponentStatus


def report(**states: str) -> Report:
    parts = {
        name: ComponentStatus(name, state, detail="" if state == RUNNING else "why")
        for name, state in states.items()
    }
    return Report(1, "starting", 0.0, parts)


@pytest.mark.parametrize(("state", "ready"), [(RUNNING, True), (OFF, True), (STARTING, False)])
def test_what_the_host_lacks_keeps_nobody_waiting(state: str, ready: bool) -> None:
    assert report(etcd=RUNNING, router=state).ready() is ready


def test_what_the_cluster_does_without_is_told() -> None:
    assert report(etcd=RUNNING, router=OFF, proxy=FAILED).missing_features() == ["why"]


def test_what_a_running_component_could_not_do_is_reported() -> None:
    part = ComponentStatus("kube-apiserver", RUNNING, detail="a ConfigMap can't be changed")
    assert report(etcd=RUNNING).with_component(part).missing_features() == [part.detail]


def test_what_was_published_is_read_again(tmp_path: Path) -> None:
    published = replace(report(etcd=RUNNING, router=OFF), suspension=Suspension(1000.0, 60.0))
    published.write(tmp_path / "status.json")
    assert Report.read(tmp_path / "status.json") == published


def test_a_component_that_the_host_lacks_something_for_is_off_from_the_start(
    tmp_path: Path,
) -> None:
    supervisor = Supervisor(layout(tmp_path), record(), {"kube-router": "no ip_set"})
    assert supervisor.report.missing_features() == ["no ip_set"]
