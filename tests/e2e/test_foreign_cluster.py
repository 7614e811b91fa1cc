"""A cluster of other people: their operators, and a namespace with rules of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import other_operators
from support.cluster.accounts import Command
from support.cluster.live import Live
from support.release.artifacts import Source
from vrooli.chart import values
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.workflows.clusters import embedded
from vrooli.workflows.develop import develop
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.uninstall import uninstall

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

VERSION = "5.0.0"
POLICY = "admissionregistration.k8s.io/v1"
# Each pod of the namespace must have this label.
TEAM = {"team": "web"}
COMMAND_S = 900.0


def rules(namespace: str) -> list[dict[str, Any]]:
    """What the namespace's owner demands of all that runs in it."""
    place = {"namespace": namespace}
    label = next(iter(TEAM))
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    expression = f"has(object.metadata.labels) && '{label}' in object.metadata.labels"
    default = {"type": "Container", "default": {"memory": "1Gi"}, "max": {"memory": "2Gi"}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted", "rules": "strict"},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "team", **place},
            "spec": {"hard": {"limits.memory": "24Gi", "pods": "60", "requests.storage": "60Gi"}},
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "team", **place},
            "spec": {"limits": [default]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "deny-all", **place},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": POLICY,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "teams"},
            "spec": {
                "matchConstraints": {"resourceRules": [{**pods, "resources": ["pods"]}]},
                "validations": [{"expression": expression, "message": f"no label {label}"}],
            },
        },
        {
            "apiVersion": POLICY,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "teams"},
            "spec": {
                "policyName": "teams",
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"rules": "strict"}}},
            },
        },
    ]


@pytest.fixture
async def foreign(live: Live, kube: Kube, tmp_path: Path) -> AsyncIterator[Command]:
    """The live release's cluster as other people have it; afterwards it is as it was."""
    namespace = live.environment.namespace
    await uninstall(live.environment, live.cluster, silent, data=True)
    await other_operators.install(kube, live.kubeconfig, tmp_path)
    for body in rules(namespace):
        await kube.apply(body)
    yield Command(live.kubeconfig, tmp_path / "state", live.environment.name, COMMAND_S)
    for body in rules(namespace)[-2:]:
        await kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"])
    await uninstall(live.environment, live.cluster, silent, data=True)
    await kube.delete("v1", "Namespace", namespace)
    await other_operators.uninstall(kube, live.kubeconfig)
    await develop(
        DevelopOptions(live.environment, cluster=live.cluster, values=live.values), silent
    )


@pytest.fixture(scope="module")
def artifact(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The live release's own values, with the label that the namespace demands."""
    chosen = values.merge(values.load(live.environment, live.values), {"commonLabels": TEAM})
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
    labels = tmp_path / "labels.yaml"
    labels.write_text(yaml.safe_dump({"commonLabels": TEAM}))
    checked = await foreign.run("check", "--values", str(labels))
    assert checked.status == 0, checked.output
    deployed = await foreign.run(
        "deploy", "--version", VERSION, "--artifact", str(artifact), "--yes"
    )
    assert deployed.status == 0, deployed.log
    code, status = await foreign.json("status")
    assert (code, status["healthy"]) == (0, True), status
    places = {item["name"]: (item["namespace"], item["source"]) for item in status["operators"]}
    assert places == {
        name: (namespace, "foreign") for name, (namespace, _) in other_operators.PLACES.items()
    }
    code, diagnosis = await foreign.json("diagnose")
    assert code == 0, diagnosis
    for words in (("backup",), ("rotate", "shared", "--yes"), ("rotate", "postgres", "--yes")):
        done = await foreign.run(*words)
        assert done.status == 0, done.log
    upgraded = await foreign.run("upgrade", "operators", "--yes")
    assert "not installed by vrooli" in upgraded.output + upgraded.log
    removed = await foreign.run("uninstall", "--yes")
    assert removed.status == 0, removed.log
    assert await kube.get("v1", "ResourceQuota", "team", live.environment.namespace)
