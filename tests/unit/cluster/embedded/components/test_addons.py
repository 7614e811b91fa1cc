"""The add-ons' manifests, and when an add-on counts as ready."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from vrooli.cluster.embedded.components import addons
from vrooli.cluster.embedded.settings import INSIDE, AddonImages

IMAGES = {name: str(value) for name, value in asdict(AddonImages(Path("a.tar"))).items()}
VALUES = {
    **IMAGES,
    "gateway_api": "1.4.0",
    "domain": "cluster.local",
    "dns_ip": "10.96.0.10",
    "http_port": "30080",
    "https_port": "30043",
    "storage": "/state/storage",
    "authority": "Y2E=",
    "metrics_certificate": "Y2VydA==",
    "metrics_key": "a2V5",
}
MANIFESTS = addons.manifests(VALUES)
PODS = [item["spec"]["template"]["spec"] for item in MANIFESTS if item["kind"] == "Deployment"]
CONTAINERS = [container for pod in PODS for container in pod["containers"]]


@pytest.mark.parametrize("name", [*addons.REQUIRED, "metrics-server"])
def test_every_add_on_is_a_deployment(name: str) -> None:
    names = [item["metadata"]["name"] for item in MANIFESTS if item["kind"] == "Deployment"]
    assert names.count(name) == 1


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container["name"])
def test_every_container_is_restricted(container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_no_pod_runs_as_root_or_in_the_nodes_network() -> None:
    for pod in PODS:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.get("hostNetwork")


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container["name"])
def test_only_local_images_run_and_none_is_pulled(container: dict[str, Any]) -> None:
    assert container["image"] in IMAGES.values()
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_names_of_objects_are_unique() -> None:
    keys = [(item["kind"], item["metadata"]["name"]) for item in MANIFESTS]
    assert len(keys) == len(set(keys))


def test_there_is_one_default_storage_class_and_one_default_ingress_class() -> None:
    for kind in ("StorageClass", "IngressClass"):
        defaults = [
            item
            for item in MANIFESTS
            if item["kind"] == kind and "true" in item["metadata"]["annotations"].values()
        ]
        assert len(defaults) == 1


def test_certificates_made_anew_change_no_digest_but_another_image_does() -> None:
    assert addons.digest(VALUES) == addons.digest({**VALUES, "metrics_key": "bmV3"})
    assert addons.digest(VALUES) != addons.digest({**VALUES, "coredns": "localhost/x:2"})


def _deployment(**status: int) -> dict[str, Any]:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}


def _pod(ready: str, name: str = "coredns-1-2") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


READY = {"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 1}


@pytest.mark.parametrize(
    ("deployment", "pods", "lacks"),
    [
        (_deployment(**READY), [_pod("True")], ""),
        (None, [], "does not exist"),
        (_deployment(**{**READY, "observedGeneration": 1}), [_pod("True")], "isn't observed yet"),
        (_deployment(observedGeneration=2), [_pod("True")], "0 of 1"),
        (_deployment(**READY), [_pod("False")], "0 of 1"),
        (_deployment(**READY), [], "0 of 1"),
        (_deployment(**READY), [_pod("True", "traefik-1-2")], "0 of 1"),
    ],
)
def test_an_add_on_is_ready_when_its_deployment_and_its_pod_say_so(
    deployment: dict[str, Any] | None, pods: list[dict[str, Any]], lacks: str
) -> None:
    found = addons.not_ready_reason("coredns", deployment, pods)
    assert lacks in found
    assert bool(found) == bool(lacks)


def _named(kind: str, name: str) -> dict[str, Any]:
    (found,) = (
        item for item in MANIFESTS if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )
    return found


def test_one_traefik_ends_only_when_another_serves() -> None:
    spec = _named("Deployment", "traefik")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    budget = _named("PodDisruptionBudget", "traefik")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == spec["selector"]


def test_traefik_is_ready_by_a_route_that_only_the_api_can_give_it() -> None:
    (container,) = _named("Deployment", "traefik")["spec"]["template"]["spec"]["containers"]
    probe = container["readinessProbe"]["httpGet"]
    ingress = _named("Ingress", "traefik-ready")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert (probe["path"], probe["port"]) == (path["path"], "web")
    (middleware,) = (
        text
        for key, text in ingress["metadata"]["annotations"].items()
        if key.endswith("router.middlewares")
    )
    settings = yaml.safe_load(_named("ConfigMap", "traefik")["data"]["again.yaml"])
    redirect = settings["http"]["middlewares"][middleware.removesuffix("@file")]["redirectRegex"]
    # To the same host, or the kubelet warns at each probe.
    asked = f"http://10.244.0.7:8000{path['path']}"
    groups = re.fullmatch(redirect["regex"], asked)
    assert groups is not None
    target = redirect["replacement"].replace("${1}", groups[1])
    (rule,) = _named("HTTPRoute", "traefik-ready")["spec"]["rules"]
    assert target == f"http://10.244.0.7:8000{rule['matches'][0]['path']['value']}"
    (route_filter,) = rule["filters"]
    last = route_filter["requestRedirect"]
    assert (last["scheme"], last["port"]) == ("http", 9000)
    assert last["path"]["replaceFullPath"] == "/ping"
    assert "hostname" not in last


def test_the_listener_has_the_port_of_traefiks_entry_point() -> None:
    """Traefik attaches no route to another port."""
    (container,) = _named("Deployment", "traefik")["spec"]["template"]["spec"]["containers"]
    (listener,) = _named("Gateway", "traefik")["spec"]["listeners"]
    assert f"--entryPoints.web.address=:{listener['port']}" in container["args"]
    assert _named("Gateway", "traefik")["spec"]["gatewayClassName"] == "traefik"


def test_the_ports_of_localhost_lead_to_traefiks_service() -> None:
    service = _named("Service", "traefik")["spec"]
    labels = _named("Deployment", "traefik")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"] == labels
    assert [port["nodePort"] for port in service["ports"]] == [INSIDE["http"], INSIDE["https"]]
