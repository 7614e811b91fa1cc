"""Commands that need pods, with the kubeconfig of an administrator of one namespace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.cluster import accounts
from support.cluster.accounts import Command
from support.cluster.live import Live
from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
from vrooli.process import Completed

pytestmark = [pytest.mark.root, pytest.mark.anyio]

NAME = "namespace-administrator"


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
