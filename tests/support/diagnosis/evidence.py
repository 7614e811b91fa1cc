"""The evidence of a healthy release, from the chart's own objects; tests introduce faults."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from support.chart.rendering import render_once
from vrooli.chart import values
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource, SecretFacts
from vrooli.diagnosis.interface import Diagnosis, Rule
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref
from vrooli.redaction import Redactor
from vrooli.release.model import Revision

DEV = ENVIRONMENTS["dev"]
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
START = (NOW - timedelta(hours=1)).isoformat()
# The Deployments of the chart, without those that operators create.
COMPONENTS = ("ui", "server", "jobs", "nsfw-detector", "adminer")
# The kinds whose operators create pods or Secrets.
BY_OPERATORS = ("PostgresCluster", "RedisFailover", "VaultStaticSecret")
# The kinds that evidence always has, with or without objects.
KINDS = ("Pod", "Event", "Node", "Namespace", "StorageClass", "IngressClass", "Secret")


def evidence(
    *bodies: Mapping[str, Any],
    events: Sequence[Event] = (),
    logs: Mapping[LogSource, Sequence[str]] | None = None,
    secrets: Mapping[Ref, SecretFacts] | None = None,
    answers: Sequence[Answer] = (),
) -> Evidence:
    """Evidence with these objects in the namespace, and without objects of a Helm release."""
    objects: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in KINDS}
    objects["Namespace"].append({"kind": "Namespace", "metadata": {"name": DEV.namespace}})
    for body in bodies:
        objects.setdefault(body["kind"], []).append(body)
    return Evidence(
        release=DEV.release,
        namespace=DEV.namespace,
        now=NOW,
        objects=objects,
        events=events,
        logs=logs or {},
        helm=Revision(1, "deployed"),
        secrets=secrets or {},
        answers=answers,
    )


def rendered() -> Evidence:
    """The development release's own objects as the chart renders them, in their namespace."""
    expected = render_once(values.load(DEV), release=DEV.release, namespace=DEV.namespace)
    bodies = [_placed(item.body) for item in expected if not item.is_hook]
    return replace(evidence(*bodies), manifests=expected)


def published() -> list[dict[str, Any]]:
    """The Secrets that the rotator has made."""
    metadata = {"namespace": DEV.namespace, "labels": {}}
    return [
        {"kind": "Secret", "metadata": {**metadata, "name": name}}
        for name in ("vrooli-postgres-creds", "vrooli-redis-creds")
    ]


def operators() -> list[dict[str, Any]]:
    """The Deployments of the three operators, which run."""
    return [
        {
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": START},
            "spec": {"replicas": 1},
            "status": {"replicas": 1, "availableReplicas": 1, "updatedReplicas": 1},
        }
        for name, namespace in (
            ("pgo", "postgres-operator"),
            ("spotahome-redis-operator", "redis-operator"),
            ("vault-secrets-operator-controller-manager", "vault-secrets-operator-system"),
        )
    ]


def vault() -> dict[str, Any]:
    """The Service of Vault."""
    metadata = {"name": "vault", "namespace": "vault"}
    return {"kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 8200}]}}


def with_objects(base: Evidence, *bodies: Mapping[str, Any]) -> Evidence:
    """The same with more objects; one of the same kind and name is replaced."""
    objects = {kind: list(result) for kind, result in base.objects.items()}
    for body in bodies:
        others = [
            item
            for item in objects.get(body["kind"], [])
            if item["metadata"]["name"] != body["metadata"]["name"]
        ]
        objects[body["kind"]] = [*others, body]
    return replace(base, objects=objects)


@cache
def well() -> Evidence:
    """The chart's own objects with their pods and state, an hour old."""
    observed = with_objects(rendered(), *(pod_of(f"vrooli-dev-{name}") for name in COMPONENTS))
    for result in observed.objects.values():
        for body in result:
            body["metadata"]["creationTimestamp"] = START
    done = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    for body in observed.objects["Deployment"]:
        cast("dict[str, Any]", body)["status"] = dict(done)
    classes = {"kind": "IngressClass", "metadata": {"name": "traefik"}, "spec": {}}
    place = {"kind": "Namespace", "metadata": {"name": "vault"}}
    vault = {"kind": "Service", "metadata": {"name": "vault", "namespace": "vault"}, "spec": {}}
    return with_objects(observed, classes, place, vault, *operators())


@cache
def whole() -> Evidence:
    """The same with the Secrets that come from Vault, and without what the operators make."""
    observed = well()
    names = {item["spec"]["destination"]["name"] for item in observed.all("VaultStaticSecret")}
    secrets = [_placed({"kind": "Secret", "metadata": {"name": name}}) for name in names]
    retained = {
        kind: result for kind, result in observed.objects.items() if kind not in BY_OPERATORS
    }
    expected = tuple(item for item in observed.manifests if item.kind not in BY_OPERATORS)
    return replace(with_objects(replace(observed, objects=retained), *secrets), manifests=expected)


def pod(
    name: str,
    *,
    namespace: str = DEV.namespace,
    labels: Mapping[str, str] | None = None,
    owner: tuple[str, str] | None = None,
    ready: bool = True,
    state: Mapping[str, Any] | None = None,
    last: Mapping[str, Any] | None = None,
    restarts: int = 0,
    container: str = "main",
    phase: str = "Running",
    spec: Mapping[str, Any] | None = None,
    conditions: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A pod of one container, by default one that runs and is ready."""
    status = {
        "name": container,
        "image": "localhost/vrooli/server:dev",
        "ready": ready,
        "restartCount": restarts,
        "state": dict(state or {"running": {"startedAt": START}}),
        "lastState": dict(last or {}),
    }
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": dict(labels or {}),
        "creationTimestamp": START,
    }
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1]}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": container, "image": status["image"]}], **(spec or {})},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}, *conditions],
            "containerStatuses": [status],
        },
    }


def pod_of(workload: str, **settings: Any) -> dict[str, Any]:
    """A pod of a Deployment of the release."""
    labels = {
        "app.kubernetes.io/name": "vrooli",
        "app.kubernetes.io/instance": DEV.release,
        "app.kubernetes.io/component": workload.removeprefix(f"{DEV.release}-"),
        "pod-template-hash": "5d9c7b",
    }
    owner = ("ReplicaSet", f"{workload}-5d9c7b")
    return pod(f"{workload}-5d9c7b-abcde", labels=labels, owner=owner, **settings)


def asleep(name: str, namespace: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Service, and its Deployment that was scaled to none."""
    labels, place = {"app": name}, {"name": name, "namespace": namespace}
    service = {"kind": "Service", "metadata": place, "spec": {"selector": labels}}
    template = {"metadata": {"labels": labels}}
    spec = {"replicas": 0, "template": template}
    return service, {"kind": "Deployment", "metadata": place, "spec": spec}


def happening(about: Ref, reason: str, message: str, *, ago_s: float = 30.0) -> Event:
    """A warning about an object."""
    return Event(about, "Warning", reason, message, last=NOW - timedelta(seconds=ago_s))


def found(rule: Rule, base: Evidence) -> list[str]:
    """The resources of a rule's symptoms, as kind and name; what they can explain must exist."""
    symptoms = list(rule.find(base))
    explained = {rule_id for item in symptoms for rule_id in item.can_explain or ()}
    assert explained <= {item.rule_id for item in catalog.ALL}
    return [str(symptom.resource) for symptom in symptoms]


def diagnosed(base: Evidence) -> Diagnosis:
    """What all rules together say."""
    return root_cause.diagnose(base, catalog.ALL, Redactor())


def _placed(body: Mapping[str, Any]) -> dict[str, Any]:
    placed = copy.deepcopy(dict(body))
    placed["metadata"].setdefault("namespace", DEV.namespace)
    return placed
