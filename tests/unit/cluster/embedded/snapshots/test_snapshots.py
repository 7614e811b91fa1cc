"""Snapshots of a stopped cluster: made, listed, restored, forked and deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout, record
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle import cleanup
from vrooli.cluster.embedded.settings import UNASSIGNED, Record
from vrooli.cluster.embedded.snapshots import copying, restore, store
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress

pytestmark = pytest.mark.anyio
QUIET = Progress()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A stopped cluster with data, of which no process has to be ended."""
    place = layout(tmp_path)
    files = {
        place.etcd / "db": "objects",
        place.storage / "pvc" / "rows": "1",
        place.kubelet / "pods" / "one": "empty-dir",
        place.pki / "ca.key": "authority",
        place.pki / "encryption.key": "secret",
        place.pki / "service-accounts.key": "accounts",
        place.pki / "service-accounts.pub": "accounts",
        place.containerd / copying.CONTENT / "blobs/sha256/aa": "blob",
        place.log("etcd"): "log",
        place.kubeconfig: "kubeconfig",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    record(durable=False).write(place.record)

    async def clear(layout: Layout, host: object) -> int:
        return 0

    monkeypatch.setattr(cleanup, "clear", clear)
    return place


@pytest.fixture
def cluster(place: Layout) -> StoredCluster:
    return StoredCluster("one", state_dir=state_dir(place))


def state_dir(place: Layout) -> Path:
    return place.root.parents[1]


def rows(place: Layout) -> str:
    return (place.storage / "pvc" / "rows").read_text()


async def test_a_restored_cluster_is_as_it_was_but_for_its_logs(
    place: Layout, cluster: StoredCluster
) -> None:
    made = await cluster.snapshots.create("before", QUIET)
    assert cluster.snapshots.list() == [made]
    assert made.frozen_s == 0
    (place.storage / "pvc" / "rows").write_text("2")
    (place.storage / "later").mkdir()
    place.log("etcd").write_text("later log")
    await cluster.snapshots.restore("before", QUIET)
    await cluster.snapshots.finish_restore(succeeded=True)
    assert rows(place) == "1"
    assert not (place.storage / "later").exists()
    assert place.log("etcd").read_text() == "later log"
    assert (place.containerd / copying.CONTENT / "blobs/sha256/aa").read_text() == "blob"
    assert sorted(path.name for path in store.folder(place).iterdir()) == ["before"]


async def test_a_snapshot_can_be_restored_again(place: Layout, cluster: StoredCluster) -> None:
    await cluster.snapshots.create("before", QUIET)
    for text in ("2", "3"):
        (place.storage / "pvc" / "rows").write_text(text)
        await cluster.snapshots.restore("before", QUIET)
        await cluster.snapshots.finish_restore(succeeded=True)
        assert rows(place) == "1"


async def test_a_restore_that_does_not_start_is_undone(
    place: Layout, cluster: StoredCluster
) -> None:
    await cluster.snapshots.create("before", QUIET)
    (place.storage / "pvc" / "rows").write_text("2")
    await cluster.snapshots.restore("before", QUIET)
    await cluster.snapshots.finish_restore(succeeded=False)
    assert rows(place) == "2"
    assert place.log("etcd").read_text() == "log"


@pytest.mark.parametrize("step", ["copy_snapshot", "exchange"])
async def test_a_restore_that_fails_leaves_the_cluster_as_it_is(
    place: Layout, cluster: StoredCluster, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*arguments: object) -> None:
        raise VrooliError("the disk is gone")

    await cluster.snapshots.create("before", QUIET)
    (place.storage / "pvc" / "rows").write_text("2")
    with monkeypatch.context() as patched, pytest.raises(VrooliError, match="disk is gone"):
        patched.setattr(restore, step, fail)
        await cluster.snapshots.restore("before", QUIET)
    assert rows(place) == "2"
    assert [item.name for item in cluster.snapshots.list()] == ["before"]


async def test_what_a_killed_command_left_is_no_snapshot_and_is_replaced(
    place: Layout, cluster: StoredCluster
) -> None:
    left = store.create_folder(place) / store.PART
    left.mkdir()
    (left / store.RECORD).write_text("{}")
    assert cluster.snapshots.list() == []
    await cluster.snapshots.create("before", QUIET)
    assert sorted(path.name for path in store.folder(place).iterdir()) == ["before"]


async def test_a_disk_without_room_is_refused_with_the_numbers_of_bytes(
    place: Layout, cluster: StoredCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RESERVE_BYTES", 10**18)
    with pytest.raises(PrerequisiteError, match=r"needs [\d,]+ bytes and leaves .* bytes free"):
        await cluster.snapshots.create("before", QUIET)
    assert cluster.snapshots.list() == []
    assert rows(place) == "1"


@pytest.mark.parametrize("name", ["", "A", "../x", ".part", "a b", "x" * 40])
async def test_an_invalid_name_is_refused(cluster: StoredCluster, name: str) -> None:
    with pytest.raises(UsageError, match="can't be a snapshot's name"):
        await cluster.snapshots.create(name, QUIET)


async def test_a_name_is_used_once_until_it_is_deleted(cluster: StoredCluster) -> None:
    await cluster.snapshots.create("before", QUIET)
    with pytest.raises(UsageError, match="already has a snapshot 'before'"):
        await cluster.snapshots.create("before", QUIET)
    await cluster.snapshots.delete("before")
    with pytest.raises(UsageError, match="has no snapshot 'before'"):
        await cluster.snapshots.restore("before", QUIET)
    await cluster.snapshots.create("before", QUIET)


async def test_a_cluster_that_was_never_started_has_nothing_to_save(tmp_path: Path) -> None:
    place = layout(tmp_path)
    place.root.mkdir(parents=True)
    with pytest.raises(PrerequisiteError, match="never started"):
        await StoredCluster("one", state_dir=state_dir(place)).snapshots.create("before", QUIET)


@pytest.mark.parametrize("snapshot", [None, "before"])
async def test_a_fork_has_its_own_keys_and_ports_and_the_data_of_its_origin(
    place: Layout, cluster: StoredCluster, snapshot: str | None
) -> None:
    await cluster.snapshots.create("before", QUIET)
    await cluster.snapshots.fork("two", snapshot, {"http": 0}, QUIET)
    new = Layout.of(state_dir(place), "two")
    origin, forked = Record.read(place.record), Record.read(new.record)
    assert origin is not None
    assert forked is not None
    assert rows(new) == "1"
    assert [path.name for path in new.pki.iterdir()] == ["encryption.key"]
    assert forked.index == UNASSIGNED
    assert not set(forked.ports.values()) & set(origin.ports.values())
    assert (forked.node_name(new), forked.volumes_path(new)) == (place.node, place.storage)
    assert (origin.node_name(place), origin.volumes_path(place)) == (place.node, place.storage)


async def test_a_fork_of_a_fork_keeps_the_names_that_its_objects_contain(
    place: Layout, cluster: StoredCluster
) -> None:
    await cluster.snapshots.fork("two", None, {}, QUIET)
    await StoredCluster("two", state_dir=state_dir(place)).snapshots.fork("three", None, {}, QUIET)
    new = Layout.of(state_dir(place), "three")
    forked = Record.read(new.record)
    assert forked is not None
    assert (forked.node_name(new), forked.volumes_path(new)) == (place.node, place.storage)


async def test_a_fork_does_not_replace_a_cluster(cluster: StoredCluster) -> None:
    await cluster.snapshots.fork("two", None, {}, QUIET)
    with pytest.raises(UsageError, match="There is a cluster two already"):
        await cluster.snapshots.fork("two", None, {}, QUIET)
