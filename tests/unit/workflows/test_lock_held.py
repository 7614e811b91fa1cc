"""Each command that changes a release refuses while another process holds its lock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from support.fakes.cluster import FakeCluster, namespace
from support.release.helm_secrets import packed, unpacked
from support.release.records import held_lease, helm_secret, record
from vrooli import project
from vrooli.chart import values as chart_values
from vrooli.cli.app import app
from vrooli.errors import PrerequisiteError
from vrooli.release.model import Release
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HOLDER = "bob@elsewhere"
COMMANDS = (
    "backup",
    "restore --to 14:05 --yes",
    "restore --point 20261129-140501 --into inspection --yes",
    "restore --only redis --point 20261129-140501 --yes",
    "restore --only vault --vault-version secret/vrooli/a=3 --yes",
    "restore --finish --yes",
    "restore --undo --yes",
    "rotate all --yes",
    "scale server 2 --yes",
    "grow postgres 5Gi --yes",
    "drill vault-deleted --yes",
)


def _deployed() -> dict[str, Any]:
    """Helm's record of a release with the values of the chart and without objects."""
    secret = helm_secret(RELEASE, record(1))
    content = unpacked(secret)
    content["chart"] = {
        "metadata": {"apiVersion": "v2", "name": "vrooli", "version": "1.0.0"},
        "values": chart_values.read(project.chart_dir() / "values.yaml"),
    }
    return {**secret, "data": {"release": packed(content)}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster with a release whose lock another process holds."""
    lease = held_lease(RELEASE, HOLDER)
    lease["spec"]["renewTime"] = "2099-01-01T00:00:00Z"
    fake = FakeCluster(namespace("dev"), _deployed(), lease)

    async def images() -> set[str]:
        return set()

    @asynccontextmanager
    async def connect(_: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"), kind="context", images=images)
        yield Access(cast(Any, None), cast(Any, reached), fake)

    monkeypatch.setattr(access, "connect", connect)
    return fake


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_refuses_and_changes_nothing(cluster: FakeCluster, command: str) -> None:
    ended = CliRunner().invoke(app, command.split(), env={"COLUMNS": "500"})
    assert ended.exit_code == PrerequisiteError.exit_code
    assert f"Another deploy of vrooli-dev is running: {HOLDER}, since" in ended.output
    assert "Wait until it ends." in ended.output
    assert cluster.changes == []
    assert cluster.server.programs.ran == []
