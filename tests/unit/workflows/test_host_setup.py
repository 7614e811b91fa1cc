"""What a machine is prepared with, for a cluster of its own and for someone else's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from vrooli.errors import PrerequisiteError
from vrooli.events import Event, Progress, StepProgressed, silent
from vrooli.images.builders.docker import Docker
from vrooli.programs import store
from vrooli.programs.catalog import GROUPS
from vrooli.steps import Done, run_steps
from vrooli.workflows.host import setup as module
from vrooli.workflows.host.setup import Machine


def _ensure_packages(machine: Machine) -> Done:
    (step,) = (step for step in machine.steps() if step.name == "packages")
    return asyncio.run(step.ensure(Progress()))  # type: ignore[arg-type]


async def _docker() -> Docker:
    return Docker()


async def _none() -> Docker:
    raise PrerequisiteError("no builder")


def test_for_someone_elses_cluster_a_builder_is_enough_on_any_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "detect", _docker)
    monkeypatch.setattr(module.package_manager.sys, "platform", "darwin")
    assert _ensure_packages(Machine(runs_clusters=False)) == Done(False, "docker builds images")
    with pytest.raises(PrerequisiteError, match="darwin"):
        _ensure_packages(Machine())


def test_without_a_builder_only_one_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Mapping[str, str]] = []

    async def ensure(progress: Progress, packages: Mapping[str, str]) -> Done:
        requests.append(packages)
        return Done(changed=True)

    monkeypatch.setattr(module, "detect", _none)
    monkeypatch.setattr(module.package_manager, "ensure_packages", ensure)
    assert _ensure_packages(Machine(runs_clusters=False)).changed
    assert [set(packages) for packages in requests] == [{"buildah", "mmdebstrap"}]


@pytest.mark.parametrize(
    ("runs_clusters", "cached", "reachable", "installed"),
    [
        (True, False, False, {"gcc", "libc6-dev", "libseccomp-dev", "pkg-config"}),
        (True, False, True, set()),
        (True, True, False, set()),
        (False, False, False, set()),
    ],
)
def test_a_compiler_is_installed_only_to_build_runc(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    runs_clusters: bool,
    cached: bool,
    reachable: bool,
    installed: set[str],
) -> None:
    requests: list[str] = []
    provided: list[str] = []

    async def ensure_packages(progress: Progress, packages: Mapping[str, str]) -> Done:
        requests.extend(packages)
        return Done(changed=True)

    async def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
        provided.extend(names)
        return {}

    async def is_reachable(site: str) -> bool:
        return reachable

    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(module.package_manager, "ensure_packages", ensure_packages)
    monkeypatch.setattr(module.programs, "ensure", ensure)
    monkeypatch.setattr(store.download, "is_reachable", is_reachable)
    monkeypatch.setattr(store.platform, "machine", lambda: store.DOWNLOAD_ARCHITECTURE)
    runc = store.group_of("runc")
    runc = replace(runc, downloads=tuple(replace(x, sha256="0" * 64) for x in runc.downloads))
    monkeypatch.setattr(store, "GROUPS", (runc, *(g for g in GROUPS if g.name != "runc")))
    if cached:
        store.folder(store.group_of("runc")).mkdir(parents=True)
    asyncio.run(Machine(runs_clusters=runs_clusters).ensure_programs(Progress()))
    assert set(requests) == installed
    assert ("runc" in provided) == runs_clusters


@pytest.mark.parametrize(
    ("is_cached", "keeps", "is_cleared"),
    [(False, False, True), (False, True, False), (True, False, False)],
)
def test_the_build_caches_are_deleted_after_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cached: bool, keeps: bool, is_cleared: bool
) -> None:
    async def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
        return {}

    async def need_compiler(names: Iterable[str]) -> bool:
        return False

    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(module.programs, "ensure", ensure)
    monkeypatch.setattr(module.programs, "need_compiler", need_compiler)
    if is_cached:
        for group in GROUPS:
            store.folder(group).mkdir(parents=True)
    (tmp_path / "go" / "build").mkdir(parents=True)
    machine = Machine(keeps_build_caches=keeps)
    steps = [step for step in machine.steps() if step.name in ("programs", "build-caches")]
    steps = [replace(step, after=()) for step in steps]
    for step in steps:
        asyncio.run(run_steps([step], silent))
    assert (tmp_path / "go").exists() != is_cleared


async def test_the_compiler_waits_for_the_host_packages_of_the_same_run_and_reports_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine, events, installs = Machine(), list[Event](), list[str]()
    is_waiting = asyncio.Event()

    def listen(event: Event) -> None:
        events.append(event)
        is_waiting.set()

    async def install(
        progress: Progress, packages: Mapping[str, str] = module.package_manager.PACKAGES
    ) -> Done:
        if "buildah" in packages:
            await is_waiting.wait()
        installs.append(next(iter(packages)))
        return Done(changed=True)

    async def yes(names: object) -> bool:
        return True

    async def provide(*_: object) -> dict[str, Path]:
        return {}

    monkeypatch.setattr(module.package_manager, "ensure_packages", install)
    monkeypatch.setattr(module.programs, "need_compiler", yes)
    monkeypatch.setattr(module.programs, "find_missing_groups", lambda names: [])
    monkeypatch.setattr(module.programs, "ensure", provide)
    monkeypatch.setattr(module.programs, "module_dir", provide)
    progress = Progress("programs", listen)
    await asyncio.gather(machine.ensure_packages(progress), machine.ensure_programs(progress))
    assert installs == ["buildah", "gcc"]
    assert events == [StepProgressed("programs", "waiting for the step Host packages of this run")]
