"""A namespace of other people, whose rules refuse pods that a deploy would wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.cluster import accounts
from support.fakes.check_site import names, rendered
from vrooli.checks.cluster import pod_admission
from vrooli.checks.interface import CheckResult, Site
from vrooli.kube import Kube

POLICY = "admissionregistration.k8s.io/v1"


async def place(kube: Kube, name: str, **labels: str) -> str:
    """A namespace with the account that a controller manager would have made."""
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    account = {"name": "default", "namespace": name}
    await kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    return name


async def check(kube: Kube, namespace: str, **changes: Any) -> CheckResult:
    """The check of the release in a namespace."""
    return await pod_admission.run(Site.of(kube, namespace, rendered(**changes)))


async def test_a_namespace_without_rules_admits_all_and_nothing_is_left(bare_kube: Kube) -> None:
    namespace = await place(
        bare_kube, "no-rules", **{"pod-security.kubernetes.io/enforce": "restricted"}
    )
    result = await check(bare_kube, namespace)
    assert result.findings == ()
    assert "kinds of pods are admitted" in result.summary
    assert await bare_kube.list("v1", "Pod", namespace) == []


async def test_a_namespace_that_does_not_exist_has_no_rules(bare_kube: Kube) -> None:
    result = await check(bare_kube, "not-yet")
    assert (result.findings, "does not exist yet" in result.summary) == ((), True)


async def test_a_limit_range_names_each_workload_that_is_too_large(bare_kube: Kube) -> None:
    namespace = await place(bare_kube, "limited")
    limits = [{"type": "Container", "max": {"memory": "300Mi"}}]
    metadata = {"name": "small", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata}
    await bare_kube.apply({**body, "spec": {"limits": limits}})
    result = await check(bare_kube, namespace)
    assert "Deployment/vrooli-dev-nsfw-detector" in names(result)
    assert all("maximum memory usage per Container is 300Mi" in f.message for f in result.findings)
    assert result.findings[0].command == "kubectl describe namespace limited"


async def test_a_policy_that_demands_a_label_of_pods_is_cited(bare_kube: Kube) -> None:
    namespace = await place(bare_kube, "labelled", demands="owner")
    expression = "has(object.metadata.labels) && 'owner' in object.metadata.labels"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    spec = {
        "matchConstraints": {"resourceRules": [{**pods, "resources": ["pods"]}]},
        "validations": [{"expression": expression, "message": "each pod needs the label owner"}],
    }
    body = {"apiVersion": POLICY, "kind": "ValidatingAdmissionPolicy"}
    metadata = {"name": "owners"}
    await bare_kube.apply({**body, "metadata": metadata, "spec": spec})
    selected = {"namespaceSelector": {"matchLabels": {"demands": "owner"}}}
    binding = {"policyName": "owners", "validationActions": ["Deny"], "matchResources": selected}
    body = {"apiVersion": POLICY, "kind": "ValidatingAdmissionPolicyBinding"}
    await bare_kube.apply({**body, "metadata": metadata, "spec": binding})
    result = await refused(bare_kube, namespace)
    assert all("each pod needs the label owner" in finding.message for finding in result.findings)
    labels = {"commonLabels": {"owner": "web"}}
    assert (await check(bare_kube, namespace, **labels)).findings == ()


async def refused(kube: Kube, namespace: str) -> CheckResult:
    """The check, once the API server has compiled the policy."""
    for _ in range(100):
        result = await check(kube, namespace)
        if result.findings:
            return result
    pytest.fail("the policy refuses nothing")


async def test_a_quota_without_room_for_all_pods_is_named_with_the_amounts(
    bare_kube: Kube,
) -> None:
    namespace = await place(bare_kube, "short")
    hard = {"requests.cpu": "100m", "pods": "30"}
    metadata = {"name": "team", "namespace": namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    await bare_kube.apply({**quota, "spec": {"hard": hard}})
    result = await check(bare_kube, namespace)
    assert names(result) == ["ResourceQuota/team"]
    assert "of requests.cpu, and it leaves 100m." in result.findings[0].message


async def test_who_may_not_create_pods_is_told_that_they_were_not_tried(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path
) -> None:
    namespace = await place(bare_kube, "not-allowed")
    reads = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    kubeconfig = await accounts.kubeconfig_of(
        "reader", reads, namespace, kube=bare_kube, source=bare_kubeconfig, folder=tmp_path
    )
    async with await Kube.connect(kubeconfig) as kube:
        result = await check(kube, namespace)
    assert result.findings == ()
    assert result.unavailable[0] == "pods: this kubeconfig may not create any"
