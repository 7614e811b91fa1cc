"""Upgrades of operators on a real API server, with no nodes behind it: Helm and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.cluster import api_server, older_operator
from vrooli import operators, programs
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.operators import Site, Source
from vrooli.operators.installation import install as installation
from vrooli.operators.installation import record
from vrooli.operators.installation.install import find_deployment, running_version
from vrooli.operators.installation.upgrade import plan
from vrooli.operators.redis import install as redis_install
from vrooli.workflows.operators.change import OperatorChange, UpgradeFailedError
from vrooli.workflows.operators.managed import Operated

PROGRESS = Progress()
OLDER = older_operator.VERSION


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bare API server's kubeconfig."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], PROGRESS))
    with api_server.running(found, tmp_path_factory.mktemp("upgrades")) as path:
        yield path


@pytest.fixture
async def site(kubeconfig: Path) -> AsyncIterator[Site]:
    async with await Kube.connect(kubeconfig) as kube:
        yield Site(kube, kubeconfig)


async def running(site: Site) -> str:
    deployment = await find_deployment(operators.REDIS, site.kube)
    assert deployment is not None
    return running_version(operators.REDIS, deployment)


async def test_an_operator_that_does_not_start_goes_back_to_its_previous_release(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await older_operator.install(site, monkeypatch)
    before = await record.read(site.kube, operators.REDIS.namespace)
    planned = await plan(operators.REDIS, Source.GO_MODULE, site, [])
    assert (planned.installed, planned.target, planned.refusal) == (OLDER, "1.2.4", "")
    operated = Operated(site.kube, site.kubeconfig)
    assert await operated.read([operators.REDIS], PROGRESS) == {}
    # No node runs its pods.
    monkeypatch.setattr(installation, "READY_S", 1.0)
    change = OperatorChange("redis", planned, site, operated, 1.0, ["vault"])
    with pytest.raises(UpgradeFailedError) as raised:
        await change.make(PROGRESS)
    assert "Redis operator (Spotahome) could not be upgraded to 1.2.4: " in raised.value.message
    assert "went back to Redis operator (Spotahome) 1.2.3" in raised.value.message
    assert "Not upgraded: vault." in raised.value.message
    assert "`vrooli upgrade operators redis vault`" in raised.value.advice
    assert await running(site) == OLDER
    assert await record.read(site.kube, operators.REDIS.namespace) == before


async def test_a_refused_chart_leaves_the_previous_operator(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server refuses an object of the new chart, and Helm ends with an error."""
    await older_operator.install(site, monkeypatch)
    planned = await plan(operators.REDIS, Source.GO_MODULE, site, [])
    monkeypatch.setattr(installation, "READY_S", 1.0)
    with monkeypatch.context() as patched:
        patched.setattr(redis_install, "SECURITY", {"runAsUser": "nobody"})
        change = OperatorChange(
            "redis", planned, site, Operated(site.kube, site.kubeconfig), 1.0, []
        )
        with pytest.raises(UpgradeFailedError, match="Helm could not install"):
            await change.make(PROGRESS)
    assert await running(site) == OLDER
    # It can be tried again.
    await installation.install(operators.REDIS, Source.GO_MODULE, site, PROGRESS)
    assert await running(site) == "1.2.4"


async def test_without_a_release_of_helm_the_next_run_installs_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await installation.install(operators.PGO, Source.GO_MODULE, site, PROGRESS)
    planned = await plan(operators.PGO, Source.GO_MODULE, site, [])
    monkeypatch.setattr(installation, "READY_S", 1.0)
    change = OperatorChange(
        "postgres", planned, site, Operated(site.kube, site.kubeconfig), 1.0, []
    )
    with pytest.raises(UpgradeFailedError, match="Helm has no previous release of it"):
        await change.make(PROGRESS)
    unfinished = await record.read(site.kube, operators.PGO.namespace)
    assert (unfinished.ours, unfinished.source, unfinished.inputs) == (True, "go-module", "")
    assert (await installation.install(operators.PGO, Source.GO_MODULE, site, PROGRESS)).changed
