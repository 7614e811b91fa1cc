"""The caches: their sizes, and what is removed from them and what is not."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster.embedded_samples import record
from vrooli import project
from vrooli.cluster.embedded.images import templates
from vrooli.errors import PrerequisiteError
from vrooli.events import Event, StepEnded, silent
from vrooli.images import records
from vrooli.programs import golang, store, unused
from vrooli.programs.catalog import GROUPS
from vrooli.workflows import cache
from vrooli.workflows.results.caches import CacheKind, CacheResult

pytestmark = pytest.mark.anyio
SIZE = 100_000


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache with something of each kind; no image builder."""
    # Short, for the sockets of clusters.
    state = Path(tempfile.mkdtemp(prefix="vrooli-t"))
    monkeypatch.setattr(project, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(project, "state_dir", lambda: state)
    monkeypatch.setattr(unused, "PROCESSES", tmp_path / "proc")

    async def detect() -> None:
        raise PrerequisiteError("There is no builder.")

    monkeypatch.setattr(cache, "detect", detect)
    folder = tmp_path / "cache"
    module = golang.caches() / "mod" / "module"
    for path in (
        *(module / "file", store.folder(GROUPS[0]) / "program"),
        *(folder / "programs/old-1/program", folder / "programs/used-1/program"),
        *(records.folder() / "layout/blob", records.folder() / "archives/a.tar"),
        *(templates.folder() / "0a/blob", folder / "uv/package"),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * SIZE)
    module.chmod(0o555)
    programs = {**record().programs, "etcd": str(folder / "programs/used-1/program")}
    place = state / "clusters" / "one" / "cluster.json"
    place.parent.mkdir(parents=True)
    record(programs=programs).write(place)
    yield folder
    shutil.rmtree(state)
    if module.exists():
        module.chmod(0o755)


def sizes(result: CacheResult) -> dict[CacheKind, int]:
    """The kinds with their sizes, in files of the test."""
    return {item.kind: item.size_bytes // SIZE for item in result.caches}


async def test_each_kind_is_measured(caches: Path) -> None:
    result = await cache.show(silent)
    assert sizes(result) == {
        CacheKind.BUILD: 1,
        CacheKind.PROGRAMS: 2,  # of this version, and of a cluster
        CacheKind.OLD_PROGRAMS: 1,
        CacheKind.IMAGES: 1,
        CacheKind.ARCHIVES: 1,
        CacheKind.UNPACKED: 1,
        CacheKind.OTHER: 1,
    }
    assert result.path == str(caches)
    assert result.free_bytes > 0
    assert not result.changed


async def test_clean_removes_what_is_not_needed_to_run(caches: Path) -> None:
    result = await cache.clean(silent, all_kinds=False)
    assert not golang.caches().exists()
    assert not (caches / "programs/old-1").exists()
    assert (caches / "programs/used-1/program").exists()
    assert store.folder(GROUPS[0]).exists()
    assert (records.folder() / "archives/a.tar").exists()
    assert (templates.folder() / "0a").exists()
    assert result.changed
    assert result.freed_bytes >= 2 * SIZE


async def test_clean_all_also_removes_archives_and_unpacked_images(caches: Path) -> None:
    await cache.clean(silent, all_kinds=True)
    assert not (records.folder() / "archives").exists()
    assert not (templates.folder() / "0a").exists()
    assert (records.folder() / "layout/blob").exists()
    assert (caches / "programs/used-1/program").exists()
    assert (caches / "uv/package").exists()


async def test_a_program_of_a_running_process_is_kept(caches: Path, tmp_path: Path) -> None:
    (tmp_path / "proc/17").mkdir(parents=True)
    (tmp_path / "proc/17/exe").symlink_to(caches / "programs/old-1/program")
    await cache.clean(silent, all_kinds=True)
    assert (caches / "programs/old-1/program").exists()


async def test_what_another_run_uses_is_kept_and_reported(caches: Path) -> None:
    lock = golang.caches().with_suffix(".lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        events: list[Event] = []
        await cache.clean(events.append, all_kinds=False)
    assert golang.caches().exists()
    ended = {event.step: event.detail for event in events if isinstance(event, StepEnded)}
    assert ended["build-caches"] == cache.BUSY


async def test_a_folder_of_programs_that_is_being_filled_is_kept(caches: Path) -> None:
    with (caches / "programs/old-1.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        await cache.clean(silent, all_kinds=False)
    assert (caches / "programs/old-1/program").exists()


async def test_an_empty_cache_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "cache_dir", lambda: tmp_path / "none")
    monkeypatch.setattr(project, "state_dir", lambda: tmp_path / "state")
    assert (await cache.show(silent)).total_bytes == 0
