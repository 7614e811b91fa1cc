"""What a release stands on, and what deploys leave behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.evidence import (
    DEV,
    NOW,
    START,
    asleep,
    diagnosed,
    evidence,
    found,
    happening,
    pod,
    pod_of,
)
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.rules.cluster import (
    api_service,
    disruption_budget,
    nodes,
    terminating,
    volume_pending,
)
from vrooli.diagnosis.rules.network import clock_skew
from vrooli.diagnosis.rules.release import helm_state, release_missing, shared_releases
from vrooli.diagnosis.rules.workloads import scaler
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref
from vrooli.release.records.storage import Revision

LONG_AGO = (NOW - timedelta(minutes=10)).isoformat()


def node(ready: str = "True", **more: Any) -> dict[str, Any]:
    """The only node, an hour old."""
    conditions = [
        {"type": "Ready", "status": ready, "reason": "KubeletReady", "message": "kubelet stopped"},
        *more.pop("conditions", []),
    ]
    metadata = {"name": "one", "creationTimestamp": START}
    return {
        "kind": "Node",
        "metadata": metadata,
        "spec": more,
        "status": {"conditions": conditions},
    }


def names(seen: Evidence) -> list[str]:
    """The causes that all rules together name."""
    return [cause.finding.rule_id for cause in diagnosed(seen).causes]


def kept_away() -> dict[str, Any]:
    """A pod that waits for the node."""
    said = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/x: }"
    waits = {"type": "PodScheduled", "status": "False", "message": said}
    return pod_of("vrooli-dev-server", ready=False, phase="Pending", conditions=[waits])


def test_a_node_that_is_not_ready_is_the_cause_of_the_pods_that_it_keeps_away() -> None:
    (cause,) = diagnosed(evidence(node("Unknown"), kept_away())).causes
    assert cause.finding.rule_id == "node-not-ready"
    assert [item.rule_id for item in cause.consequences] == ["unschedulable"]
    assert not found(nodes.NOT_READY, evidence(node()))


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure"])
def test_a_node_that_is_short_of_something_is_told(kind: str) -> None:
    short = {"type": kind, "status": "True", "message": "kubelet has too little"}
    assert names(evidence(node(conditions=[short]), kept_away())) == ["node-pressure"]
    assert not found(nodes.PRESSURE, evidence(node(conditions=[{**short, "status": "False"}])))


def test_a_sign_of_life_from_the_future_is_told() -> None:
    body = node()
    beat = (NOW + timedelta(minutes=3)).isoformat()
    body["status"]["conditions"][0]["lastHeartbeatTime"] = beat
    (symptom,) = clock_skew.RULE.find(evidence(body))
    assert "180 s ahead" in symptom.message
    body["status"]["conditions"][0]["lastHeartbeatTime"] = NOW.isoformat()
    assert not found(clock_skew.RULE, evidence(body))


def test_a_log_that_finds_certificates_not_valid_yet_tells_of_clocks() -> None:
    said = "x509: certificate has expired or is not yet valid: current time 2020-01-01 is before"
    source = LogSource("dev", "vrooli-dev-server-5d9c7b-abcde", "main")
    seen = evidence(pod_of("vrooli-dev-server", ready=False), logs={source: [said]})
    assert found(clock_skew.RULE, seen) == ["Deployment/vrooli-dev-server"]


def claim(cls: str | None, **metadata: Any) -> dict[str, Any]:
    """A claim that waits."""
    head = {"name": "data", "namespace": "dev", "creationTimestamp": START, **metadata}
    spec = {"storageClassName": cls} if cls is not None else {}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": head,
        "spec": spec,
        "status": {"phase": "Pending"},
    }


LOCAL = {
    "kind": "StorageClass",
    "metadata": {"name": "local-path", "annotations": {}},
    "provisioner": "rancher.io/local-path",
}
KEEPER = {
    "kind": "Deployment",
    "metadata": {
        "name": "local-path-provisioner",
        "namespace": "kube-system",
        "creationTimestamp": START,
    },
    "spec": {"replicas": 0},
}


def test_a_claim_of_a_class_that_does_not_exist_is_told() -> None:
    (symptom,) = volume_pending.RULE.find(evidence(claim("fast"), LOCAL))
    assert "storage class fast doesn't exist (there is local-path)" in symptom.message


def test_a_claim_without_a_class_needs_a_default_one() -> None:
    (symptom,) = volume_pending.RULE.find(evidence(claim(None), LOCAL))
    assert symptom.command.startswith("kubectl annotate storageclass local-path ")


def test_a_provisioner_that_is_down_is_the_cause_of_claims_that_wait() -> None:
    (cause,) = diagnosed(evidence(claim("local-path"), LOCAL, KEEPER)).causes
    assert cause.finding.resource == "Deployment/local-path-provisioner"


def test_a_claim_that_waits_for_its_first_pod_is_well() -> None:
    keeper = {**KEEPER, "spec": {"replicas": 1}, "status": {"availableReplicas": 1}}
    event = happening(Ref("PersistentVolumeClaim", "data", "dev"), "WaitForFirstConsumer", "waits")
    assert not names(evidence(claim("local-path"), LOCAL, keeper, events=[event]))


def test_a_provisioner_in_its_own_namespace_is_seen_down() -> None:
    place = {**KEEPER["metadata"], "namespace": "local-path-storage"}
    (cause,) = diagnosed(evidence(claim("local-path"), LOCAL, {**KEEPER, "metadata": place})).causes
    assert cause.finding.resource == "Deployment/local-path-provisioner"


@pytest.mark.parametrize(("since_s", "is_told"), [(30, False), (90, True)])
def test_a_claim_that_nobody_makes_a_volume_for_is_told(since_s: float, is_told: bool) -> None:
    words = "Waiting for a volume to be created either by the external provisioner 'x.io/y'"
    about, first = Ref("PersistentVolumeClaim", "data", "dev"), NOW - timedelta(seconds=since_s)
    event = Event(about, "Normal", "ExternalProvisioning", words, last=NOW, first=first)
    seen = evidence(claim("local-path"), LOCAL, events=[event])
    assert [item.message for item in volume_pending.RULE.find(seen)] == (
        [f"it gets no volume: {words}"] if is_told else []
    )


def autoscaler(said: str, reason: str = "FailedGetResourceMetric", **more: Any) -> dict[str, Any]:
    """An autoscaler of the server that doesn't work."""
    state = {"type": "ScalingActive", "status": "False", "reason": reason, "message": said, **more}
    target = {"kind": "Deployment", "name": "vrooli-dev-server"}
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "server", "namespace": "dev"},
        "spec": {"scaleTargetRef": target},
        "status": {"conditions": [state]},
    }


def test_an_autoscaler_without_metrics_is_told_with_what_it_lacks() -> None:
    (symptom,) = scaler.RULE.find(evidence(autoscaler("missing request for cpu in container x")))
    assert symptom.command == (
        "kubectl set resources deployment/vrooli-dev-server -n dev --requests=cpu=50m"
    )
    young = autoscaler("did not receive metrics", lastTransitionTime=NOW.isoformat())
    assert not found(scaler.RULE, evidence(young))
    assert not found(scaler.RULE, evidence(autoscaler("", "ScalingDisabled")))


METRICS = {
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io", "creationTimestamp": START},
    "spec": {"service": {"name": "metrics-server", "namespace": "kube-system"}},
    "status": {
        "conditions": [
            {"type": "Available", "status": "False", "reason": "MissingEndpoints", "message": "no"}
        ]
    },
}


def test_a_metrics_server_that_is_down_is_the_cause_of_all_that_it_stops() -> None:
    server = asleep("metrics-server", "kube-system")
    seen = evidence(METRICS, *server, autoscaler("unable to fetch metrics"))
    (cause,) = diagnosed(seen).causes
    assert (cause.finding.rule_id, cause.finding.resource) == (
        "api-service-down",
        "Deployment/metrics-server",
    )
    assert [item.rule_id for item in cause.consequences] == ["scaler-without-metrics"]


def test_an_api_service_that_is_left_over_is_deleted() -> None:
    (symptom,) = api_service.RULE.find(evidence(METRICS))
    assert symptom.command == "kubectl delete apiservice/v1beta1.metrics.k8s.io"
    fine = {**METRICS, "status": {"conditions": [{"type": "Available", "status": "True"}]}}
    assert not found(api_service.RULE, evidence(fine))


def budget(allowed: int, **metadata: Any) -> dict[str, Any]:
    """A budget of the server's only pod."""
    selector = {"matchLabels": {"app.kubernetes.io/component": "server"}}
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "server", "namespace": "dev", **metadata},
        "spec": {"minAvailable": 1, "selector": selector},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "expectedPods": 1},
    }


def test_a_budget_that_lets_no_pod_go_is_told_while_a_node_is_to_be_emptied() -> None:
    there = pod_of("vrooli-dev-server", spec={"nodeName": "one"})
    seen = evidence(node(unschedulable=True), there, budget(0))
    (symptom,) = disruption_budget.RULE.find(seen)
    assert "PodDisruptionBudget/server (minAvailable 1; 1 of 1 pods are healthy)" in symptom.message
    assert symptom.command.startswith("kubectl patch poddisruptionbudget/server -n dev")
    assert not found(disruption_budget.RULE, evidence(node(), there, budget(0)))
    open_one = evidence(node(unschedulable=True), there, budget(1))
    assert not found(disruption_budget.RULE, open_one)


def workload(release: str) -> dict[str, Any]:
    """A Deployment of a release, with a Secret and a database."""
    sources = [{"secretRef": {"name": "vrooli-redis-creds"}}]
    env = [{"name": "REDIS_SENTINEL_HOSTS", "value": "rfs-vrooli-rf:26379"}]
    labels = {"app.kubernetes.io/instance": release}
    container = {"name": "main", "envFrom": sources, "env": env}
    return {
        "kind": "Deployment",
        "metadata": {"name": f"{release}-x", "namespace": "dev", "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_another_release_with_the_same_secret_and_database_is_told() -> None:
    seen = evidence(workload(DEV.release), workload("other"))
    (symptom,) = shared_releases.RULE.find(seen)
    assert "REDIS_SENTINEL_HOSTS rfs-vrooli-rf:26379, Secret/vrooli-redis-creds" in symptom.message
    assert str(symptom.resource) == "Release/other"
    assert not found(shared_releases.RULE, evidence(workload(DEV.release)))


def lease(renewed: timedelta) -> dict[str, Any]:
    """The Lease of a deploy."""
    spec = {
        "holderIdentity": "ann@host",
        "leaseDurationSeconds": 30,
        "renewTime": (NOW - renewed).isoformat(),
    }
    metadata = {"name": "vrooli-dev-deploy", "namespace": "dev"}
    return {"kind": "Lease", "metadata": metadata, "spec": spec}


def pending(seen: Evidence, minutes: float = 1.0) -> Evidence:
    """The same, in the middle of an upgrade since then."""
    began = NOW - timedelta(minutes=minutes)
    return replace(seen, helm=Revision(4, "pending-upgrade", deployed_at=began))


def test_what_a_killed_deploy_leaves_is_one_cause() -> None:
    (cause,) = diagnosed(pending(evidence(lease(timedelta(minutes=1))))).causes
    assert cause.finding.rule_id == "helm-pending"
    assert [item.rule_id for item in cause.consequences] == ["deploy-lease-stale"]
    assert cause.finding.command == "kubectl delete secret/sh.helm.release.v1.vrooli-dev.v4 -n dev"


def test_a_deploy_that_is_at_work_is_no_finding() -> None:
    assert not names(pending(evidence(lease(timedelta(seconds=5)))))
    assert not names(pending(evidence()))


def test_a_helm_that_has_worked_for_longer_than_it_does_is_told() -> None:
    assert names(pending(evidence(), minutes=6)) == ["helm-pending"]


def test_a_lease_without_a_sign_of_life_is_told_and_deleted() -> None:
    (symptom,) = helm_state.LEASE_STALE.find(evidence(lease(timedelta(minutes=1))))
    assert "ann@host" in symptom.message
    assert symptom.command == "kubectl delete lease/vrooli-dev-deploy -n dev"


def going(kind: str, since: str, **metadata: Any) -> dict[str, Any]:
    """An object that was deleted."""
    head = {"name": "old", "namespace": "dev", "deletionTimestamp": since, **metadata}
    return {"kind": kind, "metadata": head}


def test_what_does_not_go_is_told_with_who_keeps_it() -> None:
    finalizers = ["example.com/cleanup"]
    (symptom,) = terminating.RULE.find(
        evidence(going("ConfigMap", LONG_AGO, finalizers=finalizers))
    )
    assert "example.com/cleanup keeps it" in symptom.message
    assert symptom.command == (
        'kubectl patch configmap/old -n dev --type=merge -p \'{"metadata":{"finalizers":null}}\''
    )
    (lost,) = terminating.RULE.find(evidence(going("Pod", LONG_AGO)))
    assert lost.command == "kubectl delete pod/old -n dev --grace-period=0 --force"
    assert not found(terminating.RULE, evidence(going("Pod", NOW.isoformat())))


def test_a_volume_that_is_in_use_is_nobodys_to_take_away() -> None:
    seen = going("PersistentVolumeClaim", LONG_AGO, finalizers=["kubernetes.io/pvc-protection"])
    (symptom,) = terminating.RULE.find(evidence(seen))
    assert "End the pods that use it" in symptom.remediation
    assert "describe" in symptom.command


def test_a_namespace_or_a_release_that_is_not_there_is_told() -> None:
    nowhere = replace(evidence(), namespace="nowhere", helm=Revision())
    (cause,) = diagnosed(nowhere).causes
    assert (cause.finding.rule_id, cause.finding.resource) == (
        "namespace-missing",
        "Namespace/nowhere",
    )
    assert "there is dev" in cause.finding.message
    empty = replace(evidence(), helm=Revision())
    assert names(empty) == ["release-missing"]
    assert diagnosed(empty).causes[0].finding.command == "vrooli develop"


def test_a_release_that_could_not_be_looked_at_is_not_called_missing() -> None:
    seen = replace(evidence(), helm=Revision(), hidden={("Secret", "dev")})
    assert not found(release_missing.RELEASE_MISSING, seen)
    assert not found(release_missing.RELEASE_MISSING, evidence(pod("x")))
