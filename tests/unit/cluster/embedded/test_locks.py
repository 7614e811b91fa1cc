"""Locks, and what is known of who holds them."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout
from vrooli import locks as common_locks
from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.cluster.embedded.host import foreign_processes
from vrooli.cluster.embedded.lifecycle.start import START_LOCK
from vrooli.cluster.embedded.locks import alone, hold, holder, locked
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress

pytestmark = pytest.mark.anyio


def test_a_second_run_is_refused_and_told_which_process_is_at_work(tmp_path: Path) -> None:
    place = layout(tmp_path)
    with (
        locked(place),
        pytest.raises(PrerequisiteError, match=f"Process {os.getpid()}"),
        locked(place),
    ):
        pass


def test_nothing_is_created_in_a_state_folder_that_others_can_write_to(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root must trust files")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with (
        pytest.raises(PrerequisiteError, match=f"{shared} can be changed by other users"),
        locked(layout(shared / "state" / "clusters")),
    ):
        pass
    assert list(shared.iterdir()) == []


def test_the_next_run_may_begin_when_the_first_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(layout(tmp_path)):
            pass


def test_nobody_holds_a_lock_that_was_left_behind(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4711\n")
    assert holder(tmp_path / "lock") is None
    assert holder(tmp_path / "none") is None


def test_the_holder_is_known_while_it_lives(tmp_path: Path) -> None:
    descriptor = hold(tmp_path / "lock")
    assert descriptor is not None
    assert holder(tmp_path / "lock") == os.getpid()
    os.close(descriptor)
    assert holder(tmp_path / "lock") is None


async def test_only_one_at_a_time_is_alone_and_no_file_is_left(tmp_path: Path) -> None:
    inside, most = 0, 0

    async def enter() -> None:
        nonlocal inside, most
        async with alone(tmp_path / "lock"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.02)
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(5)))
    assert most == 1
    assert not list(tmp_path.iterdir())


async def test_no_other_user_can_open_the_lock_of_the_machine(tmp_path: Path) -> None:
    """Whoever can open a file can lock it."""
    assert START_LOCK.parent.stat().st_uid == 0
    assert not START_LOCK.parent.stat().st_mode & 0o022
    async with alone(tmp_path / "lock"):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


async def test_a_name_that_anybody_can_bind_does_not_block_a_start(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stranger:
        with contextlib.suppress(OSError):  # it may be bound by somebody else
            stranger.bind("\0vrooli-cluster-start")
        async with asyncio.timeout(60), alone(tmp_path / "vrooli-cluster-start"):
            pass


async def test_a_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        async with alone(tmp_path / "lock"):
            pass
    assert not (tmp_path / "other").exists()


async def test_no_lock_file_is_opened_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("content")
    (tmp_path / "lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        hold(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic"):
        holder(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic"):
        common_locks.open_private(tmp_path / "lock")
    assert other.read_text() == "content"


@pytest.mark.parametrize("is_cluster", [False, True])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root must trust files")
async def test_a_cluster_in_a_folder_of_another_user_is_not_changed(
    tmp_path: Path, *, is_cluster: bool
) -> None:
    place = layout(tmp_path)
    place.root.mkdir(parents=True)
    os.chown(place.root if is_cluster else place.root.parent, 4711, 0)
    cluster = StoredCluster(place.name, state_dir=tmp_path)
    for change in (cluster.stop, cluster.pause, cluster.delete):
        with pytest.raises(PrerequisiteError, match="belongs to the user 4711"):
            await change(Progress())
    assert list(place.root.parent.iterdir()) == [place.root]


async def test_a_lock_in_a_shared_folder_can_be_opened_by_its_owner_only(tmp_path: Path) -> None:
    async with common_locks.locked(tmp_path / "lock", lambda: None):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_a_database_that_a_stranger_has_open_is_refused(tmp_path: Path) -> None:
    place = layout(tmp_path)
    database = place.root / foreign_processes.DATABASES[0]
    database.parent.mkdir(parents=True)
    with database.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(PrerequisiteError, match=f"process {os.getpid()}"):
            foreign_processes.refuse_foreign_processes(place)
    foreign_processes.refuse_foreign_processes(place)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["/usr/bin/kubelet", "--root-dir=/s/one/kubelet"], {"kubelet"}),
        (["containerd", "--config", "/s/one/config.toml"], {"containerd"}),
        (["/usr/bin/kubelet", "--root-dir=/var/lib/kubelet"], set()),
        (["vim", "/s/one/kubelet.log"], set()),
        ([""], set()),
    ],
)
def test_only_programs_that_run_clusters_count_as_strangers(
    words: list[str], found: set[str]
) -> None:
    assert foreign_processes.sharers_in(words, Path("/s/one")) == found


def test_a_locks_owner_is_found_by_the_files_number() -> None:
    text = (
        "1: FLOCK  ADVISORY  WRITE 111 fe:00:12 0 EOF\n"
        "1: -> FLOCK  ADVISORY  READ 333 fe:00:34 0 EOF\n"
        "2: FLOCK  ADVISORY  WRITE 222 fe:00:34 0 EOF\n"
    )
    assert foreign_processes.lock_owner(text, 34) == 222
    assert foreign_processes.lock_owner(text, 99) == 0
