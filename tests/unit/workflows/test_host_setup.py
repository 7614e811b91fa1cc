"""What a machine is prepared with, for a cluster of its own and for someone else's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.images.builders.docker import Docker
from vrooli.steps import Done
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
