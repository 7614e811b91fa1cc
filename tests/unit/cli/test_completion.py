"""Pods of a running cluster as values that a shell completes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from support.fakes.cluster import FakeCluster
from support.release.database_pods import pod
from vrooli.cli import completion
from vrooli.cli.app import app
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError
from vrooli.workflows.clusters import access

STAGING = ENVIRONMENTS["staging"]


def _complete(line: str) -> list[str]:
    """What bash completes at the end of a line, by the script that it calls."""
    words = line.split(" ")
    environment = {
        "_VROOLI_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    result = CliRunner().invoke(app, [], prog_name="vrooli", env=environment)
    assert "Traceback" not in result.output
    return result.output.split()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The values of --cluster that were connected to: a release of two servers and a UI."""
    pods = []
    for name, component in [("server-a", "server"), ("server-b", "server"), ("ui-a", "ui")]:
        labels = {
            "app.kubernetes.io/instance": STAGING.release,
            "app.kubernetes.io/component": component,
        }
        pods.append(pod(name, labels))
    cluster = FakeCluster(*pods, namespace=STAGING.namespace)
    connected: list[str | None] = []

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[SimpleNamespace]:
        connected.append(text)
        yield SimpleNamespace(kube=cluster, cluster=SimpleNamespace(kubeconfig=Path("kubeconfig")))

    monkeypatch.setattr(access, "connect", connect)
    return connected


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("vrooli shell server -e staging --cluster context:x --pod ", ["server-a", "server-b"]),
        ("vrooli shell -e staging --cluster context:x ui --pod ", ["ui-a"]),
        ("vrooli shell server -e staging --cluster context:x --pod server-b", ["server-b"]),
        ("vrooli shell jobs -e staging --cluster context:x --pod ", []),
    ],
)
def test_running_pods_of_the_component_are_completed(
    asked: list[str | None], line: str, names: list[str]
) -> None:
    assert _complete(line) == names
    assert asked == ["context:x"]


@pytest.mark.parametrize("line", ["vrooli shell --pod ", "vrooli shell moon --pod "])
def test_without_a_component_no_cluster_is_asked(asked: list[str | None], line: str) -> None:
    assert _complete(line) == []
    assert asked == []


def test_a_cluster_that_does_not_run_or_answer_completes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(text: str | None) -> None:
        raise PrerequisiteError("Cluster embedded:vrooli is stopped.")

    monkeypatch.setattr(access, "connect", stopped)
    assert _complete("vrooli shell server --pod ") == []

    @asynccontextmanager
    async def silent(text: str | None) -> AsyncIterator[None]:
        await asyncio.sleep(30)
        yield

    monkeypatch.setattr(access, "connect", silent)
    monkeypatch.setattr(completion, "LIMIT_S", 0.01)
    assert _complete("vrooli shell server --pod ") == []
