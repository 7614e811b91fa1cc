"""Commands that need pods, with the kubeconfig of an administrator of one namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import accounts
from support.cluster.accounts import Command
from support.cluster.live import Live
from support.release.artifacts import Source
from vrooli.chart import values
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.process import Completed
from vrooli.workflows.clusters import embedded
from vrooli.workflows.deploys.uninstall import uninstall
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DevelopOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio]

NAME = "namespace-administrator"
VERSION = "5.1.0"
DEPLOY_S = 900.0


@pytest.fixture
async def admin(live: Live, kube: Kube, tmp_path: Path) -> Command:
    """The administrator's command line."""
    kubeconfig = await accounts.kubeconfig_of(
        NAME,
        accounts.ADMINISTRATOR,
        live.environment.namespace,
        kube=kube,
        source=live.kubeconfig,
        folder=tmp_path,
    )
    return Command(kubeconfig, tmp_path / "state", live.environment.name)


def assert_done(done: Completed, output: str) -> None:
    """Assert that a command succeeded and printed a text."""
    assert done.status == 0, done.log
    assert output in done.output


async def test_pods_are_looked_into_with_the_rights_of_the_namespace(admin: Command) -> None:
    logs, shell, psql, redis, backups = await asyncio.gather(
        admin.run("logs", "server", "-n", "3"),
        admin.run("shell", "server", "--", "echo", "in the pod"),
        admin.run("psql", "-c", "SELECT 40 + 2"),
        admin.run("redis-cli", "PING"),
        admin.run("backups"),
    )
    assert_done(logs, "server")
    assert_done(shell, "in the pod")
    assert_done(psql, "42")
    assert_done(redis, "PONG")
    assert_done(backups, "repository")


async def test_a_point_needs_no_rights_outside_and_a_rotation_names_those_it_lacks(
    admin: Command,
) -> None:
    assert_done(await admin.run("backup"), "")
    switchover, rotation = await asyncio.gather(
        admin.run("switchover", "postgres", "--yes"), admin.run("rotate", "shared", "--yes")
    )
    assert switchover.status != 0
    assert "has no replica" in switchover.log
    # The development Vault's token is in a Secret of its namespace, if the Vault there is that one.
    assert rotation.status == PrerequisiteError.exit_code
    assert "permission to get namespaces in namespace vault" in rotation.log
    assert "Traceback" not in rotation.log


@pytest.fixture(scope="module")
def artifact(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The live release's own values, and the images of a version of its own."""
    source = Source(tmp_path_factory.mktemp("source"))
    chosen = values.load(live.environment, live.values)
    return source.build(tmp_path_factory.mktemp("out"), VERSION, chosen, images=True)


@pytest.fixture
async def emptied(live: Live, kube: Kube, artifact: Path) -> AsyncIterator[None]:
    """The namespace without its release and databases; afterwards all is as it was."""
    for archive in artifact.rglob("*.tar"):
        await embedded.named(live.cluster.partition(":")[2]).load_images(archive, Progress())
    await uninstall(live.environment, live.cluster, silent, data=True)
    yield
    await uninstall(live.environment, live.cluster, silent, data=True)
    await develop(
        DevelopOptions(live.environment, cluster=live.cluster, values=live.values), silent
    )


async def _admin_with(rules: list[dict[str, Any]], live: Live, kube: Kube, folder: Path) -> Command:
    """The command line of an account with these rights in the namespace."""
    kubeconfig = await accounts.kubeconfig_of(
        NAME,
        rules,
        live.environment.namespace,
        kube=kube,
        source=live.kubeconfig,
        folder=folder,
    )
    return Command(kubeconfig, folder / "state", live.environment.name, DEPLOY_S)


@pytest.mark.long
@pytest.mark.timeout(2400)
async def test_a_whole_release_is_deployed_with_the_role_and_refused_with_admin_alone(
    live: Live, kube: Kube, emptied: None, artifact: Path, tmp_path: Path
) -> None:
    words = ("--version", VERSION, "--artifact", str(artifact), "--yes")
    namespace = live.environment.namespace
    # The role of Kubernetes itself does not contain the kinds of the operators.
    refused = await _admin_with([], live, kube, tmp_path)
    await accounts.bind(kube, NAME, namespace, "admin", namespace)
    done = await refused.run("deploy", *words)
    assert done.status != 0, done.log
    assert "Traceback" not in done.log
    for kind in ("PostgresCluster", "RedisFailover", "VaultStaticSecret"):
        assert kind in done.log, done.log
    assert "administrator" in done.log
    assert await kube.list("apps/v1", "Deployment", namespace) == []
    await accounts.unbind(kube, NAME, "admin", namespace)

    admin = await _admin_with(accounts.ADMINISTRATOR, live, kube, tmp_path)
    assert_done(await admin.run("deploy", *words), "")
    code, status = await admin.json("status")
    # What is outside of the namespace could not be read, so nothing is called healthy.
    assert (code != 0, status["verdict"]) == (True, "unknown"), status
    assert all("permission to" in item["advice"] for item in status["missing"])
    assert status["workloads"] and all(item["ready"] for item in status["workloads"]), status
