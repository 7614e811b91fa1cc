"""kind and minikube as their programs behave: stand-ins that refuse calls that those don't know."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.fakes import cluster_programs
from vrooli.cluster.external import KindCluster, MinikubeCluster, running_minikube_profiles
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress

SOURCE = Path(cluster_programs.__file__)
State = Callable[..., dict[str, Any]]
PROGRESS = Progress()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A machine with both programs; its clusters and whether Docker runs can be set and read."""
    state = tmp_path / "state.json"
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("kind", "minikube"):
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{SOURCE.read_text()}")
        program.chmod(0o755)
    kubectl = folder / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'apiVersion: v1'\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv(cluster_programs.STATE, str(state))
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def update(**changes: Any) -> dict[str, Any]:
        current = json.loads(state.read_text()) if state.exists() else {}
        current = {"docker": True, "clusters": {}, **current, **changes}
        state.write_text(json.dumps(current))
        return current

    update()
    return update


async def test_a_kind_cluster_is_created_once_and_takes_an_archive(
    machine: State, tmp_path: Path
) -> None:
    cluster = KindCluster("kind", tmp_path / "kind")
    assert (await cluster.ensure_running(PROGRESS)).changed
    assert not (await cluster.ensure_running(PROGRESS)).changed
    assert machine()["clusters"] == {"kind": "running"}
    (tmp_path / "a.tar").touch()
    assert (await cluster.load_images(tmp_path / "a.tar", PROGRESS)).changed


async def test_a_name_that_is_part_of_a_line_is_no_cluster(machine: State, tmp_path: Path) -> None:
    machine(clusters={"kind clusters": "running"})
    assert (await KindCluster("kind", tmp_path / "kind").ensure_running(PROGRESS)).changed


async def test_a_stopped_kind_cluster_is_named_with_the_command_that_starts_it(
    machine: State, tmp_path: Path
) -> None:
    machine(clusters={"a": "stopped"})
    with pytest.raises(PrerequisiteError, match="is not running") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert failed.value.advice.endswith("docker start a-control-plane")


async def test_kind_without_docker_lacks_a_prerequisite(machine: State, tmp_path: Path) -> None:
    machine(docker=False)
    with pytest.raises(PrerequisiteError, match="docker ps -a") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert "Docker or Podman" in failed.value.advice


async def test_an_archive_that_kind_refuses_is_named(machine: State, tmp_path: Path) -> None:
    machine(clusters={"a": "running"})
    with pytest.raises(PrerequisiteError, match=r"missing\.tar"):
        await KindCluster("a", tmp_path / "a").load_images(tmp_path / "missing.tar", PROGRESS)


async def test_a_minikube_profile_is_started_once_and_takes_an_archive(
    machine: State, tmp_path: Path
) -> None:
    machine(clusters={"a": "Stopped"})
    cluster = MinikubeCluster("a", tmp_path / "a")
    assert await running_minikube_profiles() == []
    assert (await cluster.ensure_running(PROGRESS)).changed
    assert await running_minikube_profiles() == ["a"]
    assert not (await cluster.ensure_running(PROGRESS)).changed
    assert (await cluster.load_images(tmp_path / "a.tar", PROGRESS)).changed


async def test_what_minikube_refuses_is_a_missing_prerequisite(
    machine: State, tmp_path: Path
) -> None:
    machine(docker=False)
    cluster = MinikubeCluster("a", tmp_path / "a")
    with pytest.raises(PrerequisiteError, match="PROVIDER_DOCKER_NOT_FOUND"):
        await cluster.ensure_running(PROGRESS)
    with pytest.raises(PrerequisiteError, match="GUEST_IMAGE_LOAD"):
        await cluster.load_images(tmp_path / "a.tar", PROGRESS)


async def test_a_program_that_is_not_installed_is_not_promised_by_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrerequisiteError, match="'kind' was not found") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert failed.value.advice == "Install kind: vrooli does not. Then run the command again."
    assert await running_minikube_profiles() == []
