"""What stands in a deploy's way is found before anything is touched, on a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import accounts
from support.fakes import registry
from vrooli import operators
from vrooli.chart import engine, values
from vrooli.chart.manifest import Manifest, from_body
from vrooli.checks import preflight
from vrooli.checks.cluster import api_resources
from vrooli.checks.operators import health as checks_of_operators
from vrooli.checks.preflight import NotDeployableError
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress, silent
from vrooli.findings import Finding
from vrooli.kube import Kube
from vrooli.operators import Operator, security
from vrooli.release import apply
from vrooli.secrets import catalog, kubernetes
from vrooli.secrets.names import Names

NAMESPACE = "checks"
CLASSES: list[dict[str, Any]] = [
    {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "usual",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "example.com/none",
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "traefik"},
        "spec": {"controller": "example.com/none"},
    },
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "one"},
    },
]
NAMESPACE_BODY = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
# The Secrets that the services and Redis read without Vault.
SECRETS = list(
    kubernetes.manifests({spec.path: spec.first_values() for spec in catalog.ALL}, Names())
)


# The operators that development without Vault needs, and where; nothing runs them here.
OPERATORS: tuple[Operator, ...] = (operators.PGO, operators.REDIS)
ELSEWHERE = "default"
READY = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
DEPLOYMENT = ("apps/v1", "Deployment")


@pytest.fixture
def wanted() -> tuple[Manifest, ...]:
    """The release of development, without Vault: none runs here."""
    changes = {
        "vso": {"enabled": False},
        "networkPolicies": {"redisOperatorNamespace": ELSEWHERE},
    }
    chosen = values.merge(values.load(ENVIRONMENTS["dev"]), changes)
    return engine.render(chosen, release="demo", namespace=NAMESPACE)


@pytest.fixture
async def equipped(bare_kube: Kube, wanted: tuple[Manifest, ...]) -> AsyncIterator[Kube]:
    """A cluster with what development wants: classes, Secrets, and a node with the images."""
    for body in (*CLASSES, NAMESPACE_BODY):
        await bare_kube.apply(body)
    for body in SECRETS:
        await bare_kube.apply(body, namespace=NAMESPACE)
    images = sorted(
        {str(c["image"]) for item in wanted if item.kind == "Deployment" for c in _containers(item)}
        | {"localhost/vrooli/redis:7"}
    )
    await _set_images(bare_kube, images)
    for operator in OPERATORS:
        await _run(bare_kube, operator)
    yield bare_kube
    for operator in OPERATORS:
        await bare_kube.delete(*DEPLOYMENT, operator.name, ELSEWHERE)
    for body in CLASSES:
        await bare_kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"])


def _containers(manifest: Manifest) -> list[dict[str, Any]]:
    return list(manifest.body["spec"]["template"]["spec"]["containers"])


async def _set_images(kube: Kube, names: list[str]) -> None:
    status = {"status": {"images": [{"names": [name]} for name in names]}}
    await kube.patch("v1", "Node", "one/status", None, status)


async def _run(kube: Kube, operator: Operator, **status: int) -> None:
    """Have an operator's Deployment, which says that it is ready unless told otherwise."""
    key, _, value = operator.selector.partition("=")
    labels = {key: value or "some"}
    container = {"name": "operator", "image": f"example.com/{operator.name}:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    metadata = {"name": operator.name, "namespace": ELSEWHERE, "labels": labels}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    await kube.apply(body)
    made = await kube.get(*DEPLOYMENT, operator.name, ELSEWHERE)
    assert made is not None
    said = {"observedGeneration": made["metadata"]["generation"], **READY, **status}
    name = f"{operator.name}/status"
    await kube.patch(*DEPLOYMENT, name, ELSEWHERE, {"status": said})


async def test_an_operator_that_is_gone_or_not_ready_is_told_though_its_kinds_are_served(
    equipped: Kube, wanted: tuple[Manifest, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks_of_operators, "RESTART_S", 0.0)
    gone, lame = OPERATORS
    await equipped.delete(*DEPLOYMENT, gone.name, ELSEWHERE)
    await _run(equipped, lame, readyReplicas=0, availableReplicas=0)
    found = {
        item.rule_id: item.message for item in await preflight.run(equipped, NAMESPACE, wanted)
    }
    assert found == {
        gone.name: "it is not installed.",
        lame.name: "0 of 1 pods are available.",
    }


async def test_a_cluster_with_everything_is_found_fit_and_stays_as_it_was(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    assert await preflight.run(equipped, NAMESPACE, wanted) == []
    assert [
        item.key
        for item in wanted
        if await equipped.get(item.api_version, item.kind, item.name, NAMESPACE)
    ] == []


async def test_everything_that_is_missing_is_told_at_once(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    for body in CLASSES[:2]:
        await equipped.delete(body["apiVersion"], body["kind"], body["metadata"]["name"])
    await _set_images(equipped, ["localhost/vrooli/ui:dev"])
    found = await preflight.run(equipped, NAMESPACE, wanted)
    assert {(finding.rule_id, finding.resource) for finding in found} >= {
        ("storage", "StorageClass"),
        ("ingress", "IngressClass/traefik"),
        ("images", "localhost/vrooli/server:dev"),
    }
    assert "localhost/vrooli/ui:dev" not in {finding.resource for finding in found}
    with pytest.raises(NotDeployableError, match="nothing was changed") as refused:
        preflight.demand(found)
    assert refused.value.exit_code == 3


async def test_secrets_that_are_missing_or_lack_a_key_are_told_with_their_readers(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    gone, lame = catalog.POSTGRES.kubernetes, catalog.REDIS.kubernetes
    await equipped.delete("v1", "Secret", gone, NAMESPACE)
    await equipped.patch("v1", "Secret", lame, NAMESPACE, {"data": {"password": None}})
    found = {item.resource: item for item in await preflight.run(equipped, NAMESPACE, wanted)}
    assert found.keys() == {f"Secret/{gone}", f"Secret/{lame}"}
    assert "it does not exist" in found[f"Secret/{gone}"].message
    assert "Deployment/demo-server" in found[f"Secret/{gone}"].message
    assert "it has no password, but RedisFailover/vrooli-rf" in found[f"Secret/{lame}"].message


async def test_a_missing_operator_is_named_instead_of_what_follows_from_it(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    other = from_body(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PodMonitor",
            "metadata": {"name": "x"},
            "spec": {},
        },
        NAMESPACE,
    )
    (finding,) = await preflight.run(equipped, NAMESPACE, [*wanted, other])
    assert (finding.rule_id, finding.resource) == ("api-resources", "PodMonitor")
    assert "Prometheus Operator" in finding.remediation


async def test_an_object_that_the_server_refuses_is_told_in_its_words(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    bad = from_body(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "bad"},
            "spec": {"ports": [{"port": 99999}]},
        },
        NAMESPACE,
    )
    (finding,) = await preflight.run(equipped, NAMESPACE, [*wanted, bad])
    assert (finding.rule_id, finding.resource) == ("dry-run", "Service/bad")
    assert "99999" in finding.message


async def test_a_tag_that_its_registry_does_not_have_is_told_before_anything_is_touched(
    equipped: Kube, wanted: tuple[Manifest, ...]
) -> None:
    with registry.serve() as served:
        host = f"127.0.0.1:{served.server_port}"
        served.manifests["vrooli/ui", "1.0.0"] = b"{}"
        container = {"name": "main", "resources": {}}
        pods = [
            from_body(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": f"pod-{number}"},
                    "spec": {"containers": [{**container, "image": f"{host}/vrooli/ui:{tag}"}]},
                },
                NAMESPACE,
            )
            for number, tag in enumerate(("1.0.0", "1.0.1"))
        ]
        (finding,) = await preflight.run(equipped, NAMESPACE, [*wanted, *pods])
    assert (finding.rule_id, finding.resource) == ("registry", f"{host}/vrooli/ui:1.0.1")


async def _account(
    kube: Kube, admin: Path, namespace: str, rules: list[dict[str, Any]], folder: Path
) -> Path:
    """The kubeconfig of an account that has these rights in a namespace, and no others."""
    return await accounts.kubeconfig_of(
        "someone", rules, namespace, kube=kube, source=admin, folder=folder
    )


async def test_missing_rights_are_told_by_verb_and_kind(
    equipped: Kube, bare_kubeconfig: Path, wanted: tuple[Manifest, ...], tmp_path: Path
) -> None:
    rules = [{"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}]
    path = await _account(equipped, bare_kubeconfig, "rights", rules, tmp_path)
    async with await Kube.connect(path) as reader:
        found = await preflight.run(reader, "rights", [w for w in wanted if w.kind == "Service"])
    told = {
        finding.resource: finding.message for finding in found if finding.rule_id == "permissions"
    }
    assert "may not create, patch, delete it" in told["Service"]
    assert "may not get, list, watch, create, patch, delete, update it" in told["Secret"]
    assert "Namespace" not in told  # a deploy needs no permission to read or label it
    token = yaml.safe_load(path.read_text())["users"][0]["user"]["token"]
    assert not any(token in str(finding) for finding in found)


async def test_all_rights_in_a_namespace_are_enough_where_nothing_else_is_to_be_done(
    equipped: Kube, bare_kubeconfig: Path, wanted: tuple[Manifest, ...], tmp_path: Path
) -> None:
    groups = ["apps", "batch", "autoscaling", "policy", "networking.k8s.io", "coordination.k8s.io"]
    groups += ["rbac.authorization.k8s.io", *api_resources.SERVED_BY]
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]
    rules = [
        {"apiGroups": groups, "resources": ["*"], "verbs": verbs},
        {
            "apiGroups": [""],
            "resources": ["configmaps", "pods", "secrets", "services", "serviceaccounts"],
            "verbs": verbs,
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    ]
    path = await _account(equipped, bare_kubeconfig, "own", rules, tmp_path)
    async with await Kube.connect(path) as kube:
        assert await _rights(kube, "own", wanted) == []
        objects = [_in(item, "own") for item in wanted]
        assert await _ensure_namespace(kube, "own", await apply._security(kube, objects)) is None
        fit = {"name": "own", "labels": security.security_labels(security.BASELINE)}
        await equipped.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": fit})
        assert await _ensure_namespace(kube, "own", await apply._security(kube, objects)) is False
        missing = {finding.resource for finding in await _rights(kube, "elsewhere", wanted)}
    assert {"Secret", "Lease", "Deployment"} <= missing


async def test_who_may_patch_all_of_its_namespace_may_label_it(
    equipped: Kube, bare_kubeconfig: Path, wanted: tuple[Manifest, ...], tmp_path: Path
) -> None:
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    path = await _account(equipped, bare_kubeconfig, "whole", rules, tmp_path)
    async with await Kube.connect(path) as kube:
        assert await _rights(kube, "whole", wanted) == []
        assert await _ensure_namespace(kube, "whole", security.BASELINE)
        assert await _ensure_namespace(kube, "whole", security.BASELINE) is False


async def _ensure_namespace(kube: Kube, name: str, level: str) -> bool | None:
    return await apply._ensure_namespace(kube, name, level, Progress("apply", silent))


async def _rights(kube: Kube, namespace: str, wanted: tuple[Manifest, ...]) -> list[Finding]:
    found = await preflight.run(kube, namespace, [_in(item, namespace) for item in wanted])
    return [finding for finding in found if finding.rule_id == "permissions"]


def _in(item: Manifest, namespace: str) -> Manifest:
    """The object elsewhere."""
    body = {**item.body, "metadata": {**item.body["metadata"], "namespace": namespace}}
    return from_body(body, namespace)
