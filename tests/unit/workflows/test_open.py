"""Pages of a release in a browser: at their URLs, or through a port-forward."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Event, LogLine, silent
from vrooli.workflows import urls
from vrooli.workflows.clusters import access
from vrooli.workflows.graphs import server as graph_server
from vrooli.workflows.results.base import Result
from vrooli.workflows.results.sessions import OpenResult
from vrooli.workflows.sessions import pages as workflow
from vrooli.workflows.sessions.pages import OpenOptions, open_page

pytestmark = pytest.mark.anyio
DEV = ENVIRONMENTS["dev"]
URLS = {"ui": "http://127.0.0.1:28080", "adminer": "http://adminer.localhost:28080"}


class Record:
    """A release that is installed."""

    manifests = ()
    namespace = DEV.namespace
    values: ClassVar[dict[str, Any]] = {}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A release whose UI and Adminer have URLs, and a server pod."""
    labels = {
        "app.kubernetes.io/instance": DEV.release,
        "app.kubernetes.io/component": "server",
    }
    ports = [{"containerPort": 5329}]
    pod = {
        "kind": "Pod",
        "metadata": {"name": "server-1", "labels": labels},
        "spec": {"containers": [{"name": "other"}, {"name": "server", "ports": ports}]},
        "status": {"phase": "Running"},
    }
    fake = FakeCluster(pod, namespace=DEV.namespace)

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Any]:
        class Reached:
            kube = fake

            class cluster:  # noqa: N801
                kubeconfig = Path("kubeconfig")

                @staticmethod
                def urls() -> dict[str, str]:
                    return {}

        yield Reached()

    async def record(kube: object, release: object) -> Record:
        return Record()

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(workflow.storage, "fetch_record", record)
    monkeypatch.setattr(urls, "release_urls", lambda cluster, manifests: URLS)
    return fake


@pytest.mark.parametrize("has_browser", [True, False])
async def test_a_page_with_a_url_is_opened(cluster: FakeCluster, has_browser: bool) -> None:
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return has_browser

    result = await open_page(OpenOptions(DEV, "ui"), browse, silent)
    assert result == OpenResult(url=URLS["ui"], opened=has_browser)
    assert opened == [URLS["ui"]]


async def test_adminer_names_the_place_of_the_password_and_not_the_password(
    cluster: FakeCluster,
) -> None:
    result = await open_page(OpenOptions(DEV, "adminer"), lambda url: False, silent)
    assert isinstance(result, OpenResult)
    (note,) = result.notes
    assert "DB_PASSWORD of Secret vrooli-postgres-creds in namespace dev" in note
    assert not cluster.server.programs.ran


@pytest.mark.parametrize(
    ("values", "server"),
    [
        ({"pgoPostgresql": {"enabled": True, "clusterName": "posts"}}, "posts-primary"),
        (
            {"pgoPostgresql": {"enabled": False}, "externalPostgresql": {"host": "db.example"}},
            "db.example",
        ),
    ],
)
async def test_adminer_names_the_server_and_the_secret_of_the_release(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], server: str
) -> None:
    secrets = {"postgres": {"k8sSecretName": "posts-login"}}
    monkeypatch.setattr(Record, "values", {**values, "vso": {"secrets": secrets}})
    result = await open_page(OpenOptions(DEV, "adminer"), lambda url: False, silent)
    assert isinstance(result, OpenResult)
    (note,) = result.notes
    assert f"the server {server}." in note
    assert "Secret posts-login in" in note


async def test_a_page_without_a_url_is_forwarded_until_the_command_is_cancelled(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarded: list[tuple[str, str, int]] = []
    shown = asyncio.Event()

    @asynccontextmanager
    async def forward() -> AsyncIterator[int]:
        yield 40000

    async def port_forward(namespace: str, pod: str, port: int) -> Any:
        forwarded.append((namespace, pod, port))
        return forward()

    def listen(event: Event) -> None:
        assert event == LogLine(
            "server", "http://127.0.0.1:40000 is port 5329 of pod server-1, until Ctrl-C"
        )
        shown.set()

    monkeypatch.setattr(cluster, "port_forward", port_forward)
    task = asyncio.create_task(open_page(OpenOptions(DEV, "server"), lambda url: True, listen))
    await asyncio.wait_for(shown.wait(), 60)
    task.cancel()
    assert await task == OpenResult(url="http://127.0.0.1:40000", opened=True)
    assert forwarded == [("dev", "server-1", 5329)]


async def test_the_graph_is_opened_once_its_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def serve(options: object, port: int, listener: Any) -> Result:
        listener(LogLine("graph", "http://127.0.0.1:1"))
        return Result()

    monkeypatch.setattr(graph_server, "serve", serve)

    def browse(url: str) -> bool:
        opened.append(url)
        return True

    await open_page(OpenOptions(DEV, "graph"), browse, silent)
    assert opened == ["http://127.0.0.1:1"]


async def test_what_does_not_exist_is_refused(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="Unknown page"):
        await open_page(OpenOptions(DEV, "moon"), lambda url: True, silent)

    async def none(kube: object, release: object) -> None:
        return None

    monkeypatch.setattr(workflow.storage, "fetch_record", none)
    with pytest.raises(PrerequisiteError, match="no release vrooli-dev"):
        await open_page(OpenOptions(DEV, "ui"), lambda url: True, silent)
