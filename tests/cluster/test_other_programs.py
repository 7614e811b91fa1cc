"""`develop` and `deploy` on kind and minikube, as far as an API server without nodes allows.

The programs are stand-ins that refuse calls that their `--help` does not know; the API server, the
operators' manifests, the chart and Helm are real. No pod runs: `develop` gets to the development
Vault's pod, and with secrets from a file to the wait for the release.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import api_server, image_archives, program_machine
from support.cluster.program_machine import ProgramMachine
from support.release.artifacts import APPLICATION_ONLY, DEV, Source
from vrooli import images, operators, programs
from vrooli.artifact import model
from vrooli.artifact.model import ArtifactFile
from vrooli.chart import values
from vrooli.chart.manifest import Manifest
from vrooli.cluster import external
from vrooli.environments import SecretsSource
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Event, Outcome, Progress, StepEnded
from vrooli.images import BuiltImage
from vrooli.kube import Kube
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.rollout import wait
from vrooli.release.rollout.wait import until_ready
from vrooli.steps import Done
from vrooli.vault import server as vault_server
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DeployOptions, DevelopOptions

NAME = "demo"
VERSION = "1.0.0"
LIMIT_S = 4.0
READY = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}

pytestmark = pytest.mark.usefixtures("cut_connections")


@dataclass(frozen=True)
class Site:
    """A machine with one of the programs, and the API server of its cluster.

    Attributes:
        kind: kind or minikube.
        machine: The programs.
        kubeconfig: The kubeconfig that the program writes.
    """

    kind: str
    machine: ProgramMachine
    kubeconfig: Path

    @property
    def cluster(self) -> str:
        """The cluster, as ``--cluster`` takes it."""
        return f"{self.kind}:{NAME}"

    @property
    def node(self) -> str:
        """The node, by the name that errors show."""
        return f"{NAME}-control-plane" if self.kind == "kind" else NAME

    @property
    def loads(self) -> list[str]:
        """The calls that load an archive."""
        return [call for call in self.machine.calls() if " load " in call]


@pytest.fixture(scope="module", params=["kind", "minikube"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A program and an API server of its own, whose context has the profile's name."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with api_server.running(found, tmp_path_factory.mktemp(request.param)) as path:
        config = yaml.safe_load(path.read_text())
        config["contexts"][0]["name"] = config["current-context"] = NAME
        path.write_text(yaml.safe_dump(config))
        yield request.param, path


@pytest.fixture
def site(served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The program on a machine without clusters, with built images."""
    kind, kubeconfig = served
    machine = program_machine.install(tmp_path, monkeypatch)
    machine.update(kubeconfig=kubeconfig.read_text())
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "user"))
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("VROOLI_OPERATORS_SOURCE", "go-module")
    monkeypatch.setattr(images, "ensure", _built)
    monkeypatch.setattr(images, "archive", partial(_archive, tmp_path / "images.tar"))
    monkeypatch.setattr(vault_server, "READY_S", LIMIT_S)
    monkeypatch.setattr(wait, "until_ready", _wait_briefly)
    return Site(kind, machine, kubeconfig)


async def _wait_briefly(
    kube: Kube,
    manifests: Iterable[Manifest],
    progress: Progress,
    timeout_s: float = LIMIT_S,
    **more: Any,
) -> Done:
    return await until_ready(kube, manifests, progress, min(timeout_s, LIMIT_S), **more)


async def _built(names: Sequence[str], *_: object) -> dict[str, BuiltImage]:
    """Images that are built, without building them."""
    return {name: _image(name) for name in names}


def _image(name: str) -> BuiltImage:
    digest = hashlib.sha256(name.encode()).hexdigest()
    reference = images.find_image(name).reference
    pinned = f"{reference.rpartition(':')[0]}:{digest[:12]}" if name in images.SERVICES else ""
    return BuiltImage(name, reference, digest, digest, built=False, pinned=pinned)


async def _archive(path: Path, chosen: Sequence[BuiltImage], *_: object, **__: object) -> Path:
    image_archives.write(path, [name for image in chosen for name in image.names])
    return path


@pytest.fixture
async def kubelet(site: Site) -> AsyncIterator[None]:
    """Says that the operators' Deployments are ready, as if pods of them ran."""

    async def report() -> None:
        async with await Kube.connect(site.kubeconfig) as kube:
            while True:
                for operator in operators.OPERATORS:
                    for body in await kube.list("apps/v1", "Deployment", operator.namespace):
                        await _report_ready(kube, body)
                await asyncio.sleep(0.2)

    task = asyncio.create_task(report())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _report_ready(kube: Kube, body: Mapping[str, Any]) -> None:
    metadata = body["metadata"]
    status = {"observedGeneration": metadata["generation"], **READY}
    if (body.get("status") or {}).items() >= status.items():
        return
    name = f"{metadata['name']}/status"
    await kube.patch("apps/v1", "Deployment", name, metadata["namespace"], {"status": status})


def _options(site: Site, source: SecretsSource) -> DevelopOptions:
    file = site.machine.state.with_name("secrets")
    return DevelopOptions(DEV, source, cluster=site.cluster, secrets_file=file)


async def _develop(
    site: Site, source: SecretsSource, expected: type[Exception]
) -> tuple[Exception, dict[str, Outcome]]:
    """The error with which `develop` ends here, and the outcome of each step."""
    ended: list[Event] = []
    with pytest.raises(expected) as failed:
        await develop(_options(site, source), ended.append)
    return failed.value, {
        event.step: event.outcome for event in ended if isinstance(event, StepEnded)
    }


async def test_develop_creates_the_cluster_and_gets_to_the_pod_of_vault(site: Site) -> None:
    error, steps = await _develop(site, SecretsSource.VAULT, WaitTimeoutError)
    assert "vault" in str(error)
    assert steps["cluster"] is Outcome.CHANGED
    assert steps["secrets"] is Outcome.FAILED
    assert "release" not in steps
    create = {
        "kind": f"kind create cluster --name {NAME} --wait 5m",
        "minikube": f"minikube start --profile {NAME}",
    }
    created = site.machine.calls().index(create[site.kind])
    listing = {"kind": "kind get clusters", "minikube": "minikube profile list --output json"}
    assert site.machine.calls()[created - 1] == listing[site.kind]


async def test_develop_loads_the_images_and_gets_to_the_wait_for_the_release(
    site: Site, kubelet: None
) -> None:
    error, steps = await _develop(site, SecretsSource.FILE, WaitTimeoutError)
    assert "isn't ready after 4 s" in str(error)
    assert steps.pop("healthy") is Outcome.FAILED
    assert set(steps.values()) <= {Outcome.CHANGED, Outcome.UNCHANGED}
    assert {steps["cluster"], steps["load"], steps["release"]} == {Outcome.CHANGED}
    archive = {
        "kind": f"kind load image-archive images.tar --name {NAME}",
        "minikube": f"minikube image load images.tar --profile {NAME}",
    }
    assert site.loads == [archive[site.kind]]
    async with await Kube.connect(site.kubeconfig) as kube:
        deployment = await kube.get("apps/v1", "Deployment", "vrooli-dev-server", DEV.namespace)
    assert deployment is not None
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] in site.machine.update()["images"][site.node]

    _, steps = await _develop(site, SecretsSource.FILE, WaitTimeoutError)
    assert {steps["cluster"], steps["load"], steps["release"]} == {Outcome.UNCHANGED}
    assert len(site.loads) == 1
    assert sum("create" in call or "start" in call for call in site.machine.calls()) == 1


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of the application alone, with an archive of its images."""
    source = Source(tmp_path_factory.mktemp("source"))
    chosen = values.merge(values.load(DEV), APPLICATION_ONLY)
    out = source.build_for({DEV: chosen}, tmp_path_factory.mktemp("out"), VERSION)
    folder = model.locate(out)
    built, archive = model.read(folder), "images/services.tar"
    (folder / "images").mkdir()
    names = [name for image in built.images for name in image.references]
    digests = image_archives.write(folder / archive, names)
    packed = (folder / archive).read_bytes()
    file = ArtifactFile(sha256=hashlib.sha256(packed).hexdigest(), size=len(packed))
    packaged = [
        image.model_copy(update={"archive": archive, "digest": digests[image.references[0]].digest})
        for image in built.images
        if image.references
    ]
    record = {"images": tuple(packaged), "files": {**built.files, archive: file}}
    (folder / model.RECORD).write_text(built.model_copy(update=record).text())
    return out


async def test_deploy_loads_the_images_of_the_artifact_and_names_them_by_tag(
    site: Site, artifact: Path
) -> None:
    site.machine.update(clusters={NAME: "running" if site.kind == "kind" else "OK"})
    Path(site.machine.state.with_name("user")).write_text(site.kubeconfig.read_text())
    here = replace(DEV, namespace="deploy")
    ended: list[Event] = []
    options = DeployOptions(here, VERSION, artifact, site.cluster, timeout_s=LIMIT_S)
    with pytest.raises(DeployFailedError, match="isn't ready after 4 s"):
        await deploy(replace(options, rollback=False), ended.append)
    steps = {event.step: event.outcome for event in ended if isinstance(event, StepEnded)}
    assert {steps["images"], steps["release"]} == {Outcome.CHANGED}
    assert len(site.loads) == 1
    async with await Kube.connect(site.kubeconfig) as kube:
        deployment = await kube.get("apps/v1", "Deployment", "vrooli-dev-server", "deploy")
    assert deployment is not None
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example.com/vrooli/server:{VERSION}"
    assert container["image"] in site.machine.update()["images"][site.node]


@pytest.mark.parametrize("ending", ["error", "hang"])
async def test_a_program_that_fails_or_hangs_ends_develop_with_its_words(
    site: Site, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    call = {"kind": "kind create cluster", "minikube": "minikube start"}[site.kind]
    if ending == "error":
        site.machine.update(failing={call: "no space left on device"})
        expected = ("ended with status 1", "no space left on device")
    else:
        monkeypatch.setattr(external, "START_S", 1.0)
        site.machine.update(hanging=[call])
        expected = (f"`{call} ", "did not end in time")
    error, steps = await _develop(site, SecretsSource.FILE, PrerequisiteError)
    assert steps["cluster"] is Outcome.FAILED
    assert "load" not in steps
    assert all(words in str(error) for words in expected)
    assert isinstance(error, PrerequisiteError)
    assert error.advice


async def test_a_load_that_loads_nothing_ends_develop_with_the_missing_images(site: Site) -> None:
    site.machine.update(broken=[site.node])
    error, steps = await _develop(site, SecretsSource.FILE, PrerequisiteError)
    assert steps["load"] is Outcome.FAILED
    assert f"{site.node} does not have localhost/vrooli/" in str(error)
    assert "release" not in steps
