"""Upgrades of the operators under a running release: no pod of a database is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster import older_operator
from support.cluster.live import Live
from vrooli import operators
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.operators import REDIS, Site, Source
from vrooli.operators.catalog import databases
from vrooli.operators.installation.install import install
from vrooli.operators.model import State
from vrooli.release.rollout import wait
from vrooli.workflows.clusters import embedded
from vrooli.workflows.operators.upgrade import NAMES, UpgradeOptions, upgrade_operators

pytestmark = pytest.mark.root


async def database_pods(kube: Kube, namespace: str) -> dict[str, tuple[str, int]]:
    """The pods of the databases by name: what changes if one is replaced or restarted."""
    pods = [
        pod
        for resource in databases().values()
        for pod in await kube.list("v1", "Pod", namespace, resource.pod_label)
    ]
    return {
        pod["metadata"]["name"]: (
            pod["metadata"]["uid"],
            sum(item["restartCount"] for item in pod["status"]["containerStatuses"]),
        )
        for pod in pods
        if pod["metadata"]["ownerReferences"][0]["kind"] != "Job"
    }


@pytest.mark.parametrize(
    "names", [("postgres",), pytest.param(("redis", "vault"), marks=pytest.mark.long)]
)
async def test_operators_with_older_images_are_replaced_and_no_pod_of_a_database_restarts(
    kube: Kube, live: Live, names: tuple[str, ...]
) -> None:
    chosen = [NAMES[name] for name in names]
    for operator in chosen:
        images = operator.distributions[Source.GO_MODULE].images
        site = Site(kube, live.kubeconfig, dict.fromkeys(images, "older"))
        await install(operator, Source.GO_MODULE, site, Progress())
        await wait.until_operator_ready(operator, kube, Progress())
    before = await database_pods(kube, live.environment.namespace)
    result = await upgrade_operators(UpgradeOptions(names, live.cluster), silent)
    assert {item.outcome for item in result.operators} == {"upgraded"}
    assert all("reconciled" in item.detail for item in result.operators)
    assert [item for operator in result.operators for item in operator.restarts] == []
    assert await database_pods(kube, live.environment.namespace) == before
    again = await upgrade_operators(UpgradeOptions(names, live.cluster), silent)
    assert {item.outcome for item in again.operators} == {"unchanged"}
    assert not again.changed
    for operator in chosen:
        assert (await operators.status(operator, kube)).state is State.READY


@pytest.mark.long
async def test_the_previous_redis_operator_becomes_the_current_one(
    kube: Kube, live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive, module_dir = await older_operator.build(tmp_path)
    name = live.cluster.partition(":")[2]
    await embedded.named(name).load_images(archive, Progress())
    site = Site(kube, live.kubeconfig, module_dir=module_dir)
    await older_operator.install(site, monkeypatch)
    await wait.until_operator_ready(REDIS, kube, Progress())
    assert (await operators.status(REDIS, kube)).version == older_operator.VERSION
    before = await database_pods(kube, live.environment.namespace)
    result = await upgrade_operators(UpgradeOptions(("redis",), live.cluster), silent)
    (upgraded,) = result.operators
    assert (upgraded.before, upgraded.after) == (older_operator.VERSION, "1.2.4")
    assert upgraded.restarts == ()
    assert await database_pods(kube, live.environment.namespace) == before
