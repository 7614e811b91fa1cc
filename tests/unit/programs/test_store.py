"""The cache of programs."""

from dataclasses import replace
from pathlib import Path

import pytest

from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.process import CommandError
from vrooli.programs import build_caches, golang, store
from vrooli.programs.catalog import GROUPS
from vrooli.programs.download import MissingError
from vrooli.programs.model import Download, Group

PAUSE = store.group_of("pause")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def built(cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the groups that are built; nothing is compiled."""
    names: list[str] = []

    async def build(group: Group, into: Path, progress: Progress) -> None:
        names.append(group.name)

    monkeypatch.setattr(golang, "build", build)
    monkeypatch.setattr(store, "REQUIRED_DISK_BYTES", 0)
    return names


async def test_a_cached_program_is_given_without_any_work(cache: Path) -> None:
    store.folder(PAUSE).mkdir(parents=True)
    said: list[Event] = []
    found = await store.ensure(["pause"], Progress("p", said.append))
    assert found == {"pause": store.folder(PAUSE) / "pause"}
    assert said == []


async def test_an_unknown_program_is_named() -> None:
    with pytest.raises(UsageError, match="'kubelt'"):
        await store.ensure(["kubelt"], Progress())


async def test_source_is_kept_only_of_the_operators() -> None:
    with pytest.raises(UsageError, match="'traefik'"):
        await store.module_dir("traefik", Progress())


async def test_no_disk_space_is_said_before_anything_is_built(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "REQUIRED_DISK_BYTES", 2**60)
    with pytest.raises(PrerequisiteError, match="GiB free"):
        await store.ensure(["pause"], Progress())
    assert list(cache.rglob("*.partial")) == []


async def test_on_another_machine_than_the_downloads_are_for_all_is_built(
    built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reached(site: str) -> bool:
        raise AssertionError(f"{site} is asked for programs that can't run here")

    monkeypatch.setattr(store.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(store.download, "is_reachable", reached)
    await store.ensure(["runc"], Progress())
    assert built == ["runc"]


def _with_digest(group: Group, digest: str) -> Group:
    """The group with the same SHA-256 of each download."""
    downloads = (replace(each, sha256=digest) for each in group.downloads)
    return replace(group, downloads=tuple(downloads))


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog with a SHA-256 of each download."""
    groups = tuple(_with_digest(group, "0" * 64) for group in GROUPS)
    monkeypatch.setattr(store, "GROUPS", groups)


async def test_without_a_recorded_digest_no_site_is_asked(
    built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reached(site: str) -> bool:
        raise AssertionError(f"{site} is asked for files that cannot be verified")

    runc = store.group_of("runc")
    monkeypatch.setattr(store, "GROUPS", (_with_digest(runc, ""),))
    monkeypatch.setattr(store.platform, "machine", lambda: store.DOWNLOAD_ARCHITECTURE)
    monkeypatch.setattr(store.download, "is_reachable", reached)
    await store.ensure(["runc"], Progress())
    assert built == ["runc"]


@pytest.mark.usefixtures("recorded")
async def test_what_a_site_does_not_have_is_built(
    built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Event] = []

    async def reached(site: str) -> bool:
        return True

    async def fetch(offer: Download, into: Path, progress: Progress) -> None:
        raise MissingError(f"{offer.path} was not found.")

    monkeypatch.setattr(store.platform, "machine", lambda: store.DOWNLOAD_ARCHITECTURE)
    monkeypatch.setattr(store.download, "is_reachable", reached)
    monkeypatch.setattr(store.download, "fetch", fetch)
    await store.ensure(["runc"], Progress("p", said.append))
    assert built == ["runc"]
    told = [event.detail for event in said if isinstance(event, StepProgressed)]
    assert any("was not found. Building instead." in detail for detail in told)


async def test_a_failed_build_leaves_no_group_behind(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_download(group: Group, into: Path, progress: Progress) -> bool:
        return False

    async def broken(group: Group, into: Path, progress: Progress) -> None:
        (into / "pause").touch()
        raise PrerequisiteError("no Go")

    monkeypatch.setattr(store, "_download", no_download)
    monkeypatch.setattr(golang, "build", broken)
    with pytest.raises(ExceptionGroup):
        await store.ensure(["pause"], Progress())
    assert not store.folder(PAUSE).exists()


def test_what_is_left_is_the_sum_over_the_groups() -> None:
    said: list[Event] = []
    first, second = GROUPS[:2]
    remaining = store._Remaining([first, second], Progress("p", said.append))
    remaining.of(first).report("compiling", 10.0)
    assert said == [StepProgressed("p", f"{first.name}: compiling", 10.0 + second.build_s)]


def test_the_meter_trusts_its_own_speed_once_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(golang.time, "monotonic", lambda: now[0])
    said: list[Event] = []
    meter = golang._ProgressMeter(PAUSE, 10, Progress("p", said.append))
    now[0] = 50.0
    meter.package("k8s.io/api")  # 1 of 10: the catalog's figure counts
    for _ in range(4):
        meter.package("k8s.io/api")  # 5 of 10 in 50 s: 50 s are left
    assert isinstance(said[0], StepProgressed)
    assert isinstance(said[-1], StepProgressed)
    assert said[0].remaining_s == PAUSE.build_s - 50.0
    assert said[-1].remaining_s == 50.0


def _module_cache(cache: Path) -> Path:
    """A module as Go keeps it: read-only."""
    module = cache / "go" / "mod" / "example.com"
    module.mkdir(parents=True)
    (module / "go.mod").touch(mode=0o444)
    module.chmod(0o555)
    return module


async def test_the_build_caches_are_deleted_and_programs_stay(cache: Path) -> None:
    module = _module_cache(cache)
    store.folder(PAUSE).mkdir(parents=True)
    assert await build_caches.delete()
    assert not module.exists()
    assert store.folder(PAUSE).exists()
    assert not list(cache.glob("go-deleted-*"))


async def test_an_interrupted_deletion_leaves_no_incomplete_module(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(argv: list[Path], **options: float) -> None:
        raise CommandError(("rm",), None, "")

    module = _module_cache(cache)
    with monkeypatch.context() as patched:
        patched.setattr(build_caches.process, "run", run)
        with pytest.raises(CommandError):
            await build_caches.delete()
    assert not module.exists()
    assert await build_caches.delete()
    assert not list(cache.glob("go*/"))


async def test_the_build_caches_stay_while_another_run_builds(
    built: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, cleared = _module_cache(cache), list[bool]()

    async def build(group: Group, into: Path, progress: Progress) -> None:
        cleared.append(await build_caches.delete())

    monkeypatch.setattr(golang, "build", build)
    await store.ensure(["pause"], Progress())
    assert cleared == [False]
    assert module.exists()
    assert await build_caches.delete()
