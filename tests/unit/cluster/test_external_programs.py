"""kind and minikube as their programs behave: stand-ins that refuse calls that those don't know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cluster import image_archives, program_machine
from vrooli.cluster import external, minikube_profiles
from vrooli.cluster.external import (
    KindCluster,
    MinikubeCluster,
    container_engine,
)
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress

State = Callable[..., dict[str, Any]]
PROGRESS = Progress()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A machine with both programs; its clusters and whether Docker runs can be set and read."""
    installed = program_machine.install(tmp_path, monkeypatch)
    kubectl = installed.folder / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'apiVersion: v1'\n")
    kubectl.chmod(0o755)
    return installed.update


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
    assert await minikube_profiles.fetch_running() == []
    assert (await cluster.ensure_running(PROGRESS)).changed
    assert await minikube_profiles.fetch_running() == ["a"]
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
    assert await minikube_profiles.fetch_running() == []


async def test_a_creation_that_never_ends_leaves_a_cluster_that_the_advice_deletes(
    machine: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "START_S", 0.5)
    machine(hanging=["kind create"])
    with pytest.raises(PrerequisiteError, match=r"`kind create .* did not end in time") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert "kind delete cluster --name a" in failed.value.advice


async def test_a_half_created_cluster_is_named_with_the_command_that_deletes_it(
    machine: State, tmp_path: Path
) -> None:
    machine(clusters={"a": "running"}, failing={"kind get kubeconfig": "no such file: admin.conf"})
    with pytest.raises(PrerequisiteError, match=r"admin\.conf") as failed:
        await KindCluster("a", tmp_path / "a").ensure_running(PROGRESS)
    assert "kind delete cluster --name a" in failed.value.advice


async def test_a_load_that_never_ends_is_a_missing_prerequisite(
    machine: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "LOAD_S", 0.5)
    machine(clusters={"a": "OK"}, hanging=["minikube image load"])
    image_archives.write(tmp_path / "a.tar", ["r.example/a:1"])
    with pytest.raises(PrerequisiteError, match=r"`minikube image load .* did not end in time"):
        await MinikubeCluster("a", tmp_path / "a").load_images(tmp_path / "a.tar", PROGRESS)


async def test_a_minikube_that_does_not_answer_is_named_with_how_to_go_on_without_it(
    machine: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minikube_profiles, "LIST_S", 0.5)
    machine(hanging=["minikube profile"])
    with pytest.raises(PrerequisiteError, match="did not end in time") as failed:
        await minikube_profiles.fetch_running()
    assert "--cluster" in failed.value.advice
