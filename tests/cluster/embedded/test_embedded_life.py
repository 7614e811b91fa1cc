"""A cluster's life beside another one: start, stop, resume, interruption, deletion."""

from __future__ import annotations

import asyncio
import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from support.cluster import workload
from support.cluster.clusters import QUIET, Maker
from support.cluster.footprint import footprint, leftovers, processes_of
from vrooli.cluster.embedded.cluster import EmbeddedCluster, StoredCluster
from vrooli.cluster.embedded.host import autostart
from vrooli.cluster.embedded.host.foreign_processes import DATABASES
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import readiness
from vrooli.cluster.embedded.polling import poll_until
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]
KEEP = ["perl", "-e", "open my $f, '>', '/data/kept' or die; print $f 'this'"]


async def test_a_life_leaves_nothing_and_touches_no_other_cluster(
    maker: Maker, shared: EmbeddedCluster
) -> None:
    """Started beside another cluster, used, stopped, resumed with its data, deleted."""
    cluster, layout = maker.cluster("life"), maker.layout("life")
    before = footprint(layout)

    assert (await cluster.ensure_running(QUIET)).changed
    async with await Kube.connect(cluster.kubeconfig) as kube:
        await kube.apply(workload.claim("data"), namespace="default")
        await workload.run_pod(kube, workload.pod("keeper", volume="data"))
        await kube.exec("default", "keeper", KEEP)
    async with await Kube.connect(shared.kubeconfig) as other:
        assert await other.get("v1", "Pod", "keeper", "default") is None

    assert (await cluster.stop(QUIET)).changed
    assert processes_of(layout) == set()
    stopped = leftovers(before, footprint(layout))
    assert set(stopped) == {"the cluster's folder"}, stopped
    assert (await cluster.status()).state == "stopped"
    assert not (await cluster.stop(QUIET)).changed
    await _refused_while_a_stranger_has_its_database(cluster, layout)

    assert (await cluster.ensure_running(QUIET)).changed
    async with await Kube.connect(cluster.kubeconfig) as kube:
        await workload.wait_for_pod(kube, "keeper")
        assert await kube.exec("default", "keeper", ["cat", "/data/kept"]) == "this"

    assert (await cluster.delete(QUIET)).changed
    assert leftovers(before, footprint(layout)) == {}
    assert (await cluster.status()).state == "absent"
    assert not (await cluster.delete(QUIET)).changed
    assert (await shared.status()).state == "running"
    assert not (await shared.ensure_running(QUIET)).changed


async def _refused_while_a_stranger_has_its_database(
    cluster: EmbeddedCluster, layout: Layout
) -> None:
    """The stranger is named, and nothing is deleted."""
    with (layout.root / DATABASES[0]).open("r+b") as database:
        fcntl.flock(database, fcntl.LOCK_EX)
        for act in (cluster.ensure_running, cluster.delete):
            with pytest.raises(PrerequisiteError, match=f"process {os.getpid()}"):
                await act(QUIET)
    assert layout.record.exists()


async def test_an_interrupted_start_goes_on_when_it_is_run_again(maker: Maker) -> None:
    """At its end its notes are damaged, as by a full disk: it is deleted all the same."""
    cluster, layout = maker.cluster("cut"), maker.layout("cut")
    before = footprint(layout)
    starting = asyncio.create_task(cluster.ensure_running(QUIET))

    async def supervised() -> bool:
        return layout.status.exists()

    assert await poll_until(supervised, 30)
    await readiness.wait(layout, "containerd")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert (await cluster.ensure_running(QUIET)).changed
    assert (await cluster.status()).state == "running"

    for notes in (layout.record, layout.status):
        notes.write_text("{")
    assert (await cluster.status()).state == "damaged"
    with pytest.raises(UsageError, match="damaged") as refused:
        await cluster.ensure_running(QUIET)
    assert "vrooli cluster delete cut" in refused.value.advice
    await cluster.delete(QUIET)
    assert leftovers(before, footprint(layout)) == {}


async def test_a_deleted_cluster_is_not_started_with_the_host_any_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("the embedded cluster needs root")
    monkeypatch.setattr(autostart, "UNITS", tmp_path)
    monkeypatch.setattr(autostart, "SYSTEMD_RUNNING", tmp_path / "not-booted")
    with tempfile.TemporaryDirectory(prefix="vrooli-t") as state_dir:
        layout = Layout.of(Path(state_dir), "gone")
        unit = autostart.unit(layout)
        unit.write_text("[Unit]\n")
        (tmp_path / "multi-user.target.wants").mkdir()
        (tmp_path / "multi-user.target.wants" / unit.name).symlink_to(unit)
        assert autostart.is_enabled(layout)
        await StoredCluster("gone", state_dir=Path(state_dir)).delete(QUIET)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []
