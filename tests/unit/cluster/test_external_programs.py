"""kind and minikube as their programs behave: stand-ins that refuse calls that those don't know."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cluster import image_archives
from support.fakes import cluster_programs
from vrooli.cluster.external import (
    KindCluster,
    MinikubeCluster,
    container_engine,
    running_minikube_profiles,
)
from vrooli.errors import PrerequisiteError, UsageError
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
    for name in ("kind", "minikube", "docker"):
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
    await _loads_once(cluster, tmp_path / "a.tar")


async def _loads_once(cluster: KindCluster | MinikubeCluster, archive: Path) -> None:
    image_archives.write(archive, ["r.example/a:1", "docker.io/x/b:1", "localhost/c:1"])
    assert (await cluster.load_images(archive, PROGRESS)).changed
    assert not (await cluster.load_images(archive, PROGRESS)).changed
    image_archives.write(archive, ["r.example/a:1"], salt="new")
    assert (await cluster.load_images(archive, PROGRESS)).changed


@pytest.mark.parametrize("kind", [KindCluster, MinikubeCluster])
async def test_a_load_that_loads_nothing_is_an_error(
    machine: State, tmp_path: Path, kind: type[KindCluster | MinikubeCluster]
) -> None:
    node = "a-control-plane" if kind is KindCluster else "a"
    machine(clusters={"a": "running" if kind is KindCluster else "OK"}, broken=[node])
    image_archives.write(tmp_path / "a.tar", ["r.example/a:1", "r.example/b:1"])
    with pytest.raises(
        PrerequisiteError, match=rf"{node} does not have r\.example/a:1, r\.example/b"
    ):
        await kind("a", tmp_path / "a").load_images(tmp_path / "a.tar", PROGRESS)


async def test_each_node_of_kind_must_have_the_images(machine: State, tmp_path: Path) -> None:
    machine(clusters={"a": "running"}, roles=["control-plane", "worker"], broken=["a-worker"])
    image_archives.write(tmp_path / "a.tar", ["r.example/a:1"])
    with pytest.raises(PrerequisiteError, match=r"but a-worker does not have r\.example/a:1"):
        await KindCluster("a", tmp_path / "a").load_images(tmp_path / "a.tar", PROGRESS)


async def test_a_tag_with_another_content_is_a_missing_image(
    machine: State, tmp_path: Path
) -> None:
    old = {"a": {"r.example/a:1": f"sha256:{'0' * 64}"}}
    machine(clusters={"a": "OK"}, broken=["a"], images=old)
    image_archives.write(tmp_path / "a.tar", ["r.example/a:1"])
    with pytest.raises(PrerequisiteError, match=r"does not have r\.example/a:1"):
        await MinikubeCluster("a", tmp_path / "a").load_images(tmp_path / "a.tar", PROGRESS)


@pytest.mark.parametrize(
    ("variable", "programs", "engine"),
    [
        ("", ["docker", "podman"], "docker"),
        ("", ["podman"], "podman"),
        ("podman", ["docker", "podman"], "podman"),
        ("unknown", ["docker"], "docker"),
        ("", [], "docker"),
    ],
)
def test_the_container_engine_is_the_one_of_kind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    programs: list[str],
    engine: str,
) -> None:
    for name in programs:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", variable)
    assert container_engine() == engine


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


async def test_an_archive_that_does_not_exist_is_named(machine: State, tmp_path: Path) -> None:
    machine(clusters={"a": "running"})
    with pytest.raises(UsageError, match=r"missing\.tar"):
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
    await _loads_once(cluster, tmp_path / "a.tar")


async def test_what_minikube_refuses_is_a_missing_prerequisite(
    machine: State, tmp_path: Path
) -> None:
    machine(docker=False)
    cluster = MinikubeCluster("a", tmp_path / "a")
    with pytest.raises(PrerequisiteError, match="PROVIDER_DOCKER_NOT_FOUND"):
        await cluster.ensure_running(PROGRESS)
    image_archives.write(tmp_path / "a.tar", ["r.example/a:1"])
    with pytest.raises(PrerequisiteError, match="GUEST_IMAGE_LIST"):
        await cluster.load_images(tmp_path / "a.tar", PROGRESS)


async def test_a_program_that_is_not_installed_is_not_promised_by_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrerequisiteError, match="'kind' was not found") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert failed.value.advice == "Install kind: vrooli does not. Then run the command again."
    assert await running_minikube_profiles() == []
