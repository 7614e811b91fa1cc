"""What a release stands on is seen in namespaces of any name, without a list of all pods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.diagnosis.evidence import DEV, START, diagnosed, operators, pod, vault
from vrooli.diagnosis.evidence.collection import collect, discovery, kinds
from vrooli.diagnosis.evidence.model import OTHER_NAMESPACES, Evidence
from vrooli.diagnosis.evidence.unavailable import grouped
from vrooli.kube import ApiError
from vrooli.kube.objects import Ref, has_label
from vrooli.kube.reads import Through
from vrooli.operators import OPERATORS
from vrooli.release import Release

Body = Mapping[str, Any]
RELEASE = Release(DEV.release, DEV.namespace, Path("kubeconfig"))
FAILOVER = {"kind": "RedisFailover", "metadata": {"name": "vrooli-rf", "namespace": DEV.namespace}}
CONNECTION = {
    "kind": "VaultConnection",
    "metadata": {"name": "v", "namespace": DEV.namespace},
    "spec": {"address": "http://vault.security.svc:8200"},
}


def workload(
    kind: str, name: str, namespace: str, label: str = "", **status: int
) -> dict[str, Any]:
    """A workload, named by its label as its project's chart does."""
    labels = {"app.kubernetes.io/name": label or name}
    metadata = {"name": name, "namespace": namespace, "labels": labels, "creationTimestamp": START}
    return {"kind": kind, "metadata": metadata, "spec": {}, "status": status}


def selected(body: Body, selector: str | None) -> bool:
    name, _, values = (selector or "").partition(" in ")
    if not values:
        return not selector or has_label(body, selector)
    return body["metadata"].get("labels", {}).get(name) in values.strip("()").split(",")


class Cluster:
    """An API server with some objects, of which some lists are refused."""

    def __init__(self, *objects: Body, refuses: str = "") -> None:
        self.objects = objects
        self.refuses = refuses
        self.asked: list[tuple[str, str | None, str | None, str | None]] = []

    async def pages(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        fields: str | None = None,
        through: Through,
    ) -> AsyncIterator[list[Body]]:
        self.asked.append((kind, namespace, labels, fields))
        if kind == self.refuses and namespace is None:
            raise ApiError(f"list {kind}", 403, "forbidden")
        yield [
            body
            for body in self.objects
            if body["kind"] == kind
            and namespace in (None, body["metadata"].get("namespace"))
            and selected(body, labels)
            and (not fields or fields.endswith(f"={body['involvedObject']['kind']}"))
        ]

    async def may(self, *words: Any, **settings: Any) -> bool:
        return False

    async def logs(self, *words: Any, **settings: Any) -> AsyncIterator[str]:
        yield "a line"


async def look(*objects: Body, refuses: str = "") -> Evidence:
    found = await collect.collect(Cluster(*objects, refuses=refuses), RELEASE)  # type: ignore[arg-type]
    return found.evidence


def causes(seen: Evidence) -> set[tuple[str, str]]:
    return {(cause.finding.rule_id, cause.finding.resource) for cause in diagnosed(seen).causes}


OPERATOR = workload("Deployment", "redis-operator", "databases", availableReplicas=1)
DOWN = {"metadata": OPERATOR["metadata"], "kind": "Deployment", "spec": {"replicas": 0}}


@pytest.mark.anyio
async def test_an_operator_in_another_namespace_is_there() -> None:
    assert not {rule for rule, _ in causes(await look(FAILOVER, OPERATOR))} & {
        "redis-operator-down"
    }
    down = causes(await look(FAILOVER, DOWN))
    assert ("redis-operator-down", "Deployment/redis-operator") in down
    none = causes(await look(FAILOVER, *operators()[:1]))
    assert ("redis-operator-down", "Namespace/redis-operator") in none


@pytest.mark.anyio
async def test_who_may_not_look_elsewhere_calls_no_operator_missing() -> None:
    seen = await look(FAILOVER, *operators()[:1], refuses="Deployment")
    assert seen.is_hidden("Deployment", OTHER_NAMESPACES)
    assert "redis-operator-down" not in {rule for rule, _ in causes(seen)}
    assert [
        item.resource for item in grouped(seen.unavailable) if "Deployment" in item.resource
    ] == ["Deployment in other namespaces"]


def test_operators_are_known_by_the_labels_that_a_check_looks_for() -> None:
    asked = discovery.KINDS["apps/v1", "Deployment"]
    assert {operator.selector for operator in OPERATORS} < set(asked)


@pytest.mark.anyio
async def test_nothing_is_listed_twice() -> None:
    seen = await look(*operators(), OPERATOR, {**vault()}, CONNECTION)
    refs = [(body["kind"], body["metadata"]["name"]) for body in seen.all("Deployment", "")]
    assert len(refs) == len(set(refs)) == 4


INGRESS = {
    "kind": "Ingress",
    "metadata": {"name": "vrooli-dev", "namespace": DEV.namespace},
    "spec": {"ingressClassName": "nginx"},
}
CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "nginx"},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}


def controller(kind: str, suffix: str = "controller", **status: Any) -> dict[str, Any]:
    name = f"ingress-nginx-{suffix}"
    return workload(kind, name, "ingress-nginx", "ingress-nginx", **status)


DOWN_EVERYWHERE: dict[str, Any] = {"desiredNumberScheduled": 2, "numberAvailable": 0}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "status"), [("DaemonSet", DOWN_EVERYWHERE), ("Deployment", {"replicas": 1})]
)
async def test_an_ingress_controller_in_its_own_namespace_is_seen_down(
    kind: str, status: dict[str, Any]
) -> None:
    seen = await look(INGRESS, CLASS, controller(kind, **status))
    assert ("ingress-controller-down", f"{kind}/ingress-nginx-controller") in causes(seen)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "others",
    [
        [controller("DaemonSet", desiredNumberScheduled=2, numberAvailable=1)],
        [controller("DaemonSet", **DOWN_EVERYWHERE), controller("Deployment", availableReplicas=1)],
    ],
)
async def test_an_ingress_controller_of_which_something_runs_is_not_down(
    others: list[dict[str, Any]],
) -> None:
    found = causes(await look(INGRESS, CLASS, *others))
    assert "ingress-controller-down" not in {rule for rule, _ in found}


@pytest.mark.anyio
async def test_what_stands_beside_a_controller_is_none() -> None:
    beside = controller("Deployment", "defaultbackend", availableReplicas=1)
    seen = await look(INGRESS, CLASS, beside, controller("DaemonSet", **DOWN_EVERYWHERE))
    assert ("ingress-controller-down", "DaemonSet/ingress-nginx-controller") in causes(seen)


@pytest.mark.anyio
async def test_events_of_nodes_are_read_where_they_are_written() -> None:
    def event(kind: str) -> dict[str, Any]:
        of = {"kind": kind, "name": "one"}
        metadata = {"name": f"of-{kind}", "namespace": "default"}
        return {
            "kind": "Event",
            "metadata": metadata,
            "involvedObject": of,
            "reason": "NodeNotReady",
        }

    seen = await look(event("Node"), event("Pod"))
    assert [item.about for item in seen.events] == [Ref("Node", "one")]


@pytest.mark.anyio
async def test_a_vault_in_another_namespace_is_seen_there() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "vault", "namespace": "security"},
        "spec": {"selector": {"app": "vault"}},
    }
    seen = await look(CONNECTION, service)
    answer = seen.answer("vault-health", Ref("Service", "vault", "security"))
    assert answer is not None and answer.text == "it has no running pod"
    running = pod("vault-0", namespace="security", labels={"app": "vault"}, container="vault")
    closed = await look(CONNECTION, service, running)
    assert closed.answers == ()
    why = "no permission to forward ports of pods (pods/portforward)"
    assert ("Vault in security", why) in {
        (item.resource, item.reason) for item in closed.unavailable
    }


@pytest.mark.anyio
async def test_no_list_of_all_pods_or_of_all_events_is_asked_for() -> None:
    cluster = Cluster(CONNECTION, FAILOVER)
    await collect.collect(cluster, RELEASE)  # type: ignore[arg-type]
    of_all = {kind for kind, namespace, labels, _ in cluster.asked if not (namespace or labels)}
    wanted = {kind for _, kind in (*kinds.OF_CLUSTER, *kinds.OF_OPERATORS)}
    assert of_all == wanted
    assert ("Event", "default", None, "involvedObject.kind=Node") in cluster.asked
