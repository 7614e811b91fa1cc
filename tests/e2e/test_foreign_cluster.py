"""A cluster of other people: their operators, and a namespace with rules of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import other_operators
from support.cluster.accounts import Command
from support.cluster.live import Live
from support.release.artifacts import Source
from vrooli import process
from vrooli.chart import values
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.workflows.clusters import embedded
from vrooli.workflows.deploys.uninstall import uninstall
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DevelopOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

VERSION = "5.0.0"
RULES = Path(__file__).with_name("strict-namespace.yaml")
# What the values must say here: each pod has a label, and where the Redis operator runs.
SITE = {
    "commonLabels": {"team": "web"},
    "networkPolicies": {"redisOperatorNamespace": "data-team"},
}
COMMAND_S = 900.0


def rules() -> list[dict[str, Any]]:
    """The namespace of the release, and what its owner demands of all that runs in it."""
    return list(yaml.safe_load_all(RULES.read_text()))


async def prepare_cluster(cluster: str) -> None:
    """Prepare the cluster for releases: the operators are there, and Vault admits theirs."""
    setup = [sys.executable, "-m", "vrooli", "setup", "--target", "k8s-cluster"]
    done = await process.run([*setup, "--cluster", cluster], timeout_s=COMMAND_S)
    assert "not installed by vrooli" in done.output + done.log


@pytest.fixture
async def foreign(live: Live, kube: Kube, tmp_path: Path) -> AsyncIterator[Command]:
    """The live release's cluster as other people have it; afterwards it is as it was."""
    namespace = live.environment.namespace
    await uninstall(live.environment, live.cluster, silent, data=True)
    await other_operators.install(kube, live.kubeconfig, tmp_path)
    await prepare_cluster(live.cluster)
    for body in rules():
        await kube.apply(body)
    yield Command(live.kubeconfig, tmp_path / "state", live.environment.name, COMMAND_S)
    for body in rules():
        if body["kind"].startswith("Validating"):
            await kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"])
    await uninstall(live.environment, live.cluster, silent, data=True)
    await kube.delete("v1", "Namespace", namespace)
    await other_operators.uninstall(kube, live.kubeconfig)
    await develop(
        DevelopOptions(live.environment, cluster=live.cluster, values=live.values), silent
    )


@pytest.fixture(scope="module")
def artifact(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The live release's own values, with those of the site."""
    chosen = values.merge(values.load(live.environment, live.values), SITE)
    source = Source(tmp_path_factory.mktemp("source"))
    return source.build(tmp_path_factory.mktemp("out"), VERSION, chosen, images=True)


@pytest.mark.timeout(2400)
async def test_the_platform_lives_with_the_rules_and_operators_of_others(
    foreign: Command, artifact: Path, live: Live, kube: Kube, tmp_path: Path
) -> None:
    for archive in artifact.rglob("*.tar"):
        await embedded.named(live.cluster.partition(":")[2]).load_images(archive, Progress())
    code, refused = await foreign.json("check")
    assert code != 0
    assert "no label team" in json.dumps(refused)
    assert "redisOperatorNamespace to data-team" in json.dumps(refused)
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(SITE))
    checked = await foreign.run("check", "--values", str(file))
    assert checked.status == 0, checked.output
    deployed = await foreign.run(
        "deploy", "--version", VERSION, "--artifact", str(artifact), "--yes"
    )
    assert deployed.status == 0, deployed.log
    code, status = await foreign.json("status")
    assert (code, status["ok"]) == (0, True), status
    places = {item["name"]: (item["namespace"], item["source"]) for item in status["operators"]}
    assert places == {
        name: (namespace, "foreign") for name, (namespace, _) in other_operators.PLACES.items()
    }
    code, diagnosis = await foreign.json("diagnose")
    assert code == 0, diagnosis
    code, backup = await foreign.json("backup")
    assert code == 0, backup
    for words in (
        ("restore", "--point", backup["backup"]["id"]),
        ("restore", "--finish"),
        ("grow", "postgres", "2Gi"),
        ("rotate", "shared"),
        ("rotate", "postgres"),
    ):
        done = await foreign.run(*words, "--yes")
        assert done.status == 0, done.log
    upgraded = await foreign.run_on_cluster("upgrade operators", "--yes")
    assert "not installed by vrooli" in upgraded.output + upgraded.log
    removed = await foreign.run("uninstall", "--yes")
    assert removed.status == 0, removed.log
    assert await kube.get("v1", "ResourceQuota", "team", live.environment.namespace)
