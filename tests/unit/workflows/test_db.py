"""Only the data of a release that is dev by its name and by its values can be changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import helm_secret, record
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import silent
from vrooli.release.model import Release
from vrooli.workflows import db
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.db import DbOptions
from vrooli.workflows.safeguards.consent import Consent

DEV = ENVIRONMENTS["dev"]
RELEASE = Release(DEV.release, DEV.namespace, Path("kubeconfig"))
COMMANDS: list[Callable[..., Awaitable[Any]]] = [db.reset, db.seed]

pytestmark = pytest.mark.anyio


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCluster | None], None]:
    """Sets the cluster; None for one that must not be connected to."""

    def use(cluster: FakeCluster | None) -> None:
        @asynccontextmanager
        async def connect(text: str | None) -> AsyncIterator[Access]:
            assert cluster is not None
            reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
            yield Access(cast(Any, None), cast(Any, reached), cluster)

        monkeypatch.setattr(access, "connect", connect)

    return use


def with_environment(name: str) -> FakeCluster:
    """A cluster with a dev release whose values name an environment."""
    values = chart_values.merge(
        chart_values.load(DEV), {"config": {"env": name}, "vso": {"allowHttp": True}}
    )
    manifests = engine.render(values, release=DEV.release, namespace=DEV.namespace)
    secret = helm_secret(RELEASE, record(objects=manifests))
    return FakeCluster(namespace(DEV.namespace), secret)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["staging", "prod"])
async def test_shared_environments_are_refused_before_a_connection(
    connect: Callable[[FakeCluster | None], None], command: Callable[..., Any], name: str
) -> None:
    connect(None)
    with pytest.raises(UsageError, match="the environment dev only"):
        await command(DbOptions(ENVIRONMENTS[name]), silent)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["staging", "production"])
async def test_a_release_that_is_shared_by_its_values_is_refused(
    connect: Callable[[FakeCluster | None], None], command: Callable[..., Any], name: str
) -> None:
    connect(with_environment(name))
    with pytest.raises(UsageError, match=f"vrooli-dev.* is {name} by its values"):
        await command(DbOptions(DEV), silent)


@pytest.mark.parametrize("command", COMMANDS)
async def test_without_a_release_the_next_command_is_named(
    connect: Callable[[FakeCluster | None], None], command: Callable[..., Any]
) -> None:
    connect(FakeCluster(namespace(DEV.namespace)))
    with pytest.raises(PrerequisiteError, match="There is no release vrooli-dev"):
        await command(DbOptions(DEV), silent)


@pytest.mark.parametrize("command", COMMANDS)
async def test_without_a_terminal_yes_is_required(
    connect: Callable[[FakeCluster | None], None],
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def of(*_: object) -> None:
        return None

    monkeypatch.setattr(Postgres, "of", of)
    monkeypatch.setattr(Redis, "of", of)
    connect(with_environment("development"))
    with pytest.raises(VrooliError, match="Confirmation is required"):
        await command(DbOptions(DEV), silent, Consent())
