"""The commands of the specification run as it prints them, with their placeholders filled in."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.cluster.live import Live
from support.docs import specification, specification_commands
from support.docs.shell import Shell, shows
from support.docs.specification import Deviation
from support.docs.specification_commands import Printed
from support.programs.ports import free_port
from support.release.helm_cli import PAGE_ONLY, SMALL
from vrooli import programs, project
from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress, silent
from vrooli.kube import Kube, Manifest
from vrooli.release import Release, uninstall
from vrooli.release.records import storage
from vrooli.release.rollout import wait
from vrooli.workflows.artifacts.build import BuildOptions, build
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DevelopOptions

pytestmark = pytest.mark.root

PROGRESS = Progress()
# The releases that the specification names beside the one of development.
STAGING, PRODUCTION = ("vrooli-dev", "staging"), ("vrooli-prod", "production")
CONFIG = "vrooli-config-shared-all"
# How long the operator may take to bring a Secret back, seconds.
BACK_S = 30.0
SPAN = re.compile(r"`(kubectl [^`]+)`")
NO_SUCH_KIND = r"doesn't have a resource type|NotFound"
OF_THE_KIND = [row for row in specification.deviations() if row.command.startswith("kubectl")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a person has it, after a build: its sources, scripts and artifact."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("k8s", "services", "images"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__", "dist")
        shutil.copytree(project.root() / name, root / name, ignore=ignored)
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(project.root() / name, root / name)
    (root / "scripts").symlink_to(project.root() / "scripts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VROOLI_ROOT", str(root))
        asyncio.run(build(BuildOptions(), silent))
    small = values.load(ENVIRONMENTS["dev"], (SMALL, PAGE_ONLY))
    (root / "small.yaml").write_text(yaml.safe_dump(small))
    return root


@pytest.fixture(scope="module")
def shell(live: Live, folder: Path) -> Iterator[Shell]:
    """A shell in that folder; the small releases are there, and all is as before afterwards."""
    releases = [Release(*names, live.kubeconfig) for names in (STAGING, PRODUCTION)]
    typed = Shell(folder, _environment(live, folder), asyncio.run(_placeholders(live)))
    try:
        asyncio.run(_install(typed, releases))
        yield typed
    finally:
        asyncio.run(_as_before(live, releases))


def _environment(live: Live, folder: Path) -> dict[str, str]:
    """What somebody exports who has followed the README."""
    helm = asyncio.run(programs.ensure(["helm"], PROGRESS))["helm"]
    path = (project.root() / ".venv" / "bin", helm.parent, os.environ["PATH"])
    return {
        "PATH": os.pathsep.join(map(str, path)),
        "KUBECONFIG": str(live.kubeconfig),
        "VROOLI_CLUSTER": live.cluster,
        "VROOLI_ROOT": str(folder),
        "ENVIRONMENT": live.environment.name,
        "VERSION": project.version(),
    }


async def _placeholders(live: Live) -> dict[str, str]:
    """What the specification's placeholders stand for."""
    async with await Kube.connect(live.kubeconfig) as kube:
        labels = "app.kubernetes.io/name=vrooli,app.kubernetes.io/component=server"
        pods = await kube.list("v1", "Pod", live.environment.namespace, labels)
    return {
        "<namespace>": live.environment.namespace,
        "<your-namespace>": live.environment.namespace,
        "<pod-name>": next(
            pod["metadata"]["name"]
            for pod in pods
            # A pod that a rollout replaces is Running until it has ended.
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        ),
        "<container-name>": "server",
        "<service-name>": "vrooli-dev-ui",
        "<secret-name>": "vrooli-postgres-creds",
        "<local-port>": str(free_port()),
        "<pod-port>": "5329",
        "<service-port>": "3000",
        "<release-name>": STAGING[0],
        "<target-namespace>": STAGING[1],
        "<path-to-chart-source-or-package>": "k8s/chart",
        "<base-values.yaml>": "k8s/chart/values.yaml",
        "<environment-specific-values.yaml>": "small.yaml",
    }


async def _install(shell: Shell, releases: list[Release]) -> None:
    """Install the small releases, as the specification says that its scripts do it."""
    general = next(
        command for command in specification_commands.ALL if "<release-name>" in command.text
    )
    async with await Kube.connect(releases[0].kubeconfig) as kube:
        for release in releases:
            assert await kube.get("v1", "Namespace", release.namespace) is None, release.namespace
            its = {"<release-name>": release.name, "<target-namespace>": release.namespace}
            own = Shell(shell.folder, shell.environment, {**shell.placeholders, **its})
            status, output = await own.run(general)
            assert status == 0, output
        for release in releases:
            manifests = await storage.fetch_manifests(kube, release)
            await wait.until_ready(kube, manifests, PROGRESS, timeout_s=300)


async def _as_before(live: Live, releases: list[Release]) -> None:
    """Take the small releases away, and give the live one its own values again."""
    async with await Kube.connect(live.kubeconfig) as kube:
        for release in releases:
            await uninstall.remove_data(kube, release, PROGRESS)
    options = DevelopOptions(live.environment, cluster=live.cluster, values=live.values)
    await develop(options, silent)


@pytest.mark.parametrize("command", specification_commands.ALL, ids=lambda command: command.text)
async def test_a_command_runs_as_printed(shell: Shell, command: Printed) -> None:
    status, output = await shell.run(command)
    assert status in command.statuses, output
    assert "No resources found" not in output
    for pattern in command.shows:
        assert shows(output, (pattern,)), f"no {pattern} in:\n{output}"


@pytest.mark.long
@pytest.mark.parametrize("row", OF_THE_KIND, ids=lambda row: row.command)
async def test_a_kind_that_does_not_exist_is_said_so_and_its_other_name_works(
    shell: Shell, kube: Kube, live: Live, row: Deviation
) -> None:
    namespace = live.environment.namespace
    fill = (("<name>", "vrooli-dev-shared-config-all"), ("<namespace>", namespace))
    refused, output = await shell.run(Printed(row.command, fill=fill))
    assert refused != 0
    assert shows(output, (NO_SUCH_KIND,)), output
    (instead,) = SPAN.findall(row.instead)
    status, output = await shell.run(Printed(instead, fill=fill))
    assert status == 0, output
    assert shows(output, ("vaultstaticsecret|vrooli-dev-shared-config-all|deleted",)), output
    await kube.wait_for("v1", "Secret", CONFIG, namespace, _missing, BACK_S)


def _missing(secret: Manifest | None) -> str | None:
    return None if secret is not None and secret.get("data") else "the Secret isn't back"
