"""Bad input to a deploy: a clear error, its exit code, and nothing changed."""

from __future__ import annotations

import asyncio
import gc
import io
import shutil
import sys
import tarfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from support.cluster import accounts, api_server
from support.release.artifacts import APPLICATION_ONLY, DEV, Source
from vrooli import process, programs
from vrooli.artifact import model
from vrooli.chart import values
from vrooli.errors import PrerequisiteError
from vrooli.events import Event, Progress, StepStarted
from vrooli.kube import Kube
from vrooli.release.rollout import tracker
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.options import DeployOptions

VERSION = "4.5.6"
NO_POLICIES = {"networkPolicies": {"enabled": False}}


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of the application alone."""
    source = Source(tmp_path_factory.mktemp("source"))
    chosen = values.merge(values.load(DEV), {**APPLICATION_ONLY, **NO_POLICIES})
    return source.build(tmp_path_factory.mktemp("out"), VERSION, chosen)


@dataclass(frozen=True)
class Command:
    """``vrooli deploy`` as a process, on the bare API server."""

    kubeconfig: Path
    state: Path

    async def run(self, *words: str) -> tuple[int | None, str]:
        """Its exit code, and all it said."""
        answer = await process.run(
            [
                sys.executable,
                "-m",
                "vrooli",
                "deploy",
                "-s",
                "k8s",
                "--cluster",
                "context:bare",
                *words,
            ],
            env={"KUBECONFIG": str(self.kubeconfig), "VROOLI_STATE_DIR": str(self.state)},
            timeout_s=120,
            check=False,
        )
        return answer.status, answer.output + answer.log


@pytest.fixture
def command(bare_kubeconfig: Path, tmp_path: Path) -> Command:
    return Command(bare_kubeconfig, tmp_path / "state")


@pytest.fixture
def copy(artifact: Path, tmp_path: Path) -> Path:
    return model.locate(shutil.copytree(artifact, tmp_path / "copy"))


def _package(folder: Path) -> Path:
    return folder / model.read(folder).chart.package


def _as_other_chart(package: Path) -> None:
    """The same package, whose Chart.yaml has another name."""
    again = package.with_suffix(".new")
    with tarfile.open(package) as old, tarfile.open(again, "w:gz") as new:
        for entry in old:
            content = old.extractfile(entry)
            data = content.read() if content else b""
            if entry.name == "vrooli/Chart.yaml":
                data = data.replace(b"name: vrooli", b"name: wordpress")
                entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))
    again.replace(package)


async def _releases(kube: Kube) -> list[str]:
    """Helm's notes of every release, and the namespaces: what a deploy would have changed."""
    notes = await kube.list("v1", "Secret", labels="owner=helm")
    spaces = await kube.list("v1", "Namespace")
    return sorted(item["metadata"]["name"] for item in [*notes, *spaces])


async def test_a_corrupt_package_is_refused_before_anything_is_asked(
    command: Command, bare_kube: Kube, copy: Path
) -> None:
    before, package = await _releases(bare_kube), _package(copy)
    package.write_bytes(package.read_bytes()[:1000])
    status, said = await command.run("--artifact", str(copy))
    assert (status, "is corrupt" in said) == (2, True), said
    assert await _releases(bare_kube) == before


async def test_an_artifact_of_another_chart_is_refused(
    command: Command, bare_kube: Kube, copy: Path
) -> None:
    before = await _releases(bare_kube)
    _as_other_chart(_package(copy))
    status, said = await command.run("--artifact", str(copy))
    assert status == 2, said
    assert "contains the chart 'wordpress', not 'vrooli'" in said
    assert await _releases(bare_kube) == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("-v", "latest"), "latest"),
        (("-v", "1.2"), "1.2"),
        (("-v", "9.9.9"), f"is of version {VERSION}, not 9.9.9"),
        (("-e", "prod"), "has no values for prod, it has those for: dev"),
        (("-e", "moon"), "moon"),
        (("-v", "7.7.7", "--artifact", "nowhere"), "nowhere"),
    ],
)
async def test_a_wrong_version_or_environment_is_refused_by_name(
    command: Command, bare_kube: Kube, artifact: Path, words: tuple[str, ...], reason: str
) -> None:
    before = await _releases(bare_kube)
    chosen = words if "--artifact" in words else (*words, "--artifact", str(artifact))
    status, said = await command.run(*chosen)
    assert status == 2, said
    assert reason in said
    assert await _releases(bare_kube) == before


async def test_a_kubeconfig_without_rights_is_told_verb_and_kind(
    bare_kube: Kube, bare_kubeconfig: Path, artifact: Path, tmp_path: Path
) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "powerless"}}
    await bare_kube.create(space)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    await bare_kube.create(account, "powerless")
    kubeconfig = await accounts.existing(
        "nobody", "powerless", kube=bare_kube, source=bare_kubeconfig, folder=tmp_path
    )
    before = await _releases(bare_kube)
    command = Command(kubeconfig, tmp_path / "state")
    status, said = await command.run("--artifact", str(artifact))
    assert status == 3, said
    assert "nothing was changed" in said
    assert "Deployment: this kubeconfig may not get, list, watch, create, patch, delete it" in said
    assert "Secret: this kubeconfig may not" in said
    token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    assert token not in said
    assert await _releases(bare_kube) == before


async def _answers(_: Kube) -> bool:
    return True


@pytest.mark.parametrize("is_back", [False, True])
async def test_a_cluster_that_goes_away_in_the_middle_ends_the_deploy(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_back: bool
) -> None:
    """Nothing is undone, even if it answers again a moment after it was given up."""
    if is_back:
        monkeypatch.setattr(Kube, "healthy", _answers)
    monkeypatch.setattr(tracker, "RESYNC_S", 1.0)
    monkeypatch.setattr(tracker, "API_OUTAGE_S", 2.0)
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "state"))
    found = await programs.ensure(["etcd", "kube-apiserver"], Progress())
    follows = asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "healthy":
            follows.set()

    with api_server.running(found, tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        options = DeployOptions(DEV, VERSION, artifact, "context:bare")
        running = asyncio.create_task(deploy(options, listen))
        async with asyncio.timeout(60):
            await follows.wait()
    with pytest.raises(PrerequisiteError, match="stopped responding during") as ended:
        await running
    assert "vrooli-dev is left as it is" in ended.value.message
    assert ended.value.exit_code == 3
    del running, ended
    with warnings.catch_warnings(action="ignore"):  # sockets whose other end is gone
        gc.collect()
