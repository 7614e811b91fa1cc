"""Faults of every day, made in the live release: each is named first and alone, and mended.

Most are made in a small Deployment beside the release's own, by a new version of it; the others
in the release and in the cluster's own helpers.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.cluster import sample_deployment, workload
from support.cluster.live import Live
from support.docs import rule_proofs
from support.failures import live_faults
from support.failures.live_faults import Named
from support.programs.certificates import self_signed
from support.release import helm_secrets
from vrooli.kube import Kube, Manifest
from vrooli.release import Release
from vrooli.release.records import storage

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.root,
    # What a look cuts off at its limit leaves sockets to the collector, on a busy machine only.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
long = pytest.mark.long

NETWORKS, APPS, CORE = "networking.k8s.io/v1", "apps/v1", "v1"
UNDO = f"kubectl rollout undo deployment/{sample_deployment.NAME} -n "
HELPERS = "kube-system"


@pytest.fixture(scope="module")
async def beside(live: Live) -> AsyncIterator[str]:
    """The namespace, with a Deployment to injure in it that is well."""
    home = live.environment.namespace
    async with await Kube.connect(live.kubeconfig) as kube:
        try:
            await sample_deployment.put(kube, sample_deployment.deployment(), home)
            await sample_deployment.until_ready(kube, home)
            yield home
        finally:
            await sample_deployment.gone(kube, home)


@dataclass(frozen=True)
class Surgery:
    """Injures, sees the fault named, and mends it by the command as it is printed."""

    kube: Kube
    live: Live

    async def __call__(
        self,
        rule: str,
        about: str,
        injure: Callable[[], Awaitable[object]],
        undo: Callable[[], Awaitable[object]],
        *,
        mend: Callable[[str], Awaitable[object]] | None = None,
        live: Live | None = None,
    ) -> Named:
        """Do all of it; ``mend`` does what a remedy says that is no command."""
        place = live or self.live
        async with live_faults.injured(self.kube, self.live, injure, undo):
            named = await live_faults.until_named(self.kube, place, rule, about)
            rule_proofs.record(rule, named)
            if mend is None:
                await live_faults.run(self.live, named.command)
            else:
                await mend(named.command)
        return named


@pytest.fixture
def surgery(kube: Kube, live: Live) -> Surgery:
    """The whole of it for one test."""
    return Surgery(kube, live)


@dataclass(frozen=True)
class Version:
    """A version of the Deployment that isn't well.

    Attributes:
        rule: How that is named.
        about: At which object.
        says: What the finding says.
        container: What is wrong with its container.
        spec: What is wrong with its pods.
        back: Whether the remedy is to go back to the version before.
    """

    rule: str
    about: str
    says: str
    container: dict[str, Any] | None = None
    spec: dict[str, Any] | None = None
    back: bool = True


OWN = f"Deployment/{sample_deployment.NAME}"
LIMITS = {"limits": {"memory": "64Mi", "cpu": "500m"}}
GREEDY = "push @a, 'a' x (1e6 + $_) for 1..90;" + workload.SERVER
NOWHERE = {"httpGet": {"path": "/", "port": 9}, "periodSeconds": 1, "failureThreshold": 1}
SECRET = {"name": "s", "secret": {"secretName": "no-such-secret"}}
CSI = {"name": "s", "csi": {"driver": "csi.example.com"}}
VERSIONS = {
    "an image that isn't on the node": Version(
        "image-pull", OWN, "built on this machine", {"image": "localhost/vrooli/base:no-such-tag"}
    ),
    "an image's name that is none": Version(
        "image-pull", OWN, "not a valid image name", {"image": "localhost/Vrooli/BASE"}
    ),
    "an image that may never be pulled": Version(
        "image-pull",
        OWN,
        "pull policy is Never",
        {"image": "localhost/vrooli/base:no-such-tag", "imagePullPolicy": "Never"},
    ),
    "a registry that can't be reached": Version(
        "image-pull", OWN, "is unreachable", {"image": "registry.invalid/vrooli/base:12"}
    ),
    "a program that ends with an error": Version(
        "crash-loop",
        OWN,
        "its last message: no such table",
        {"command": ["perl", "-e", "print qq(no such table\\n); exit 3"]},
    ),
    "a program that doesn't exist": Version(
        "container-exits-at-start", OWN, "no-such-program", {"command": ["no-such-program"]}
    ),
    "a program that ends by itself": Version(
        "container-exits-at-start", OWN, "exits without an error", {"command": ["true"]}
    ),
    "more memory than its limit": Version(
        "oom-killed",
        OWN,
        "memory limit 64Mi",
        {"command": ["perl", "-e", GREEDY], "resources": LIMITS},
        back=False,
    ),
    "a readiness probe that nobody answers": Version(
        "probe-failing", OWN, "Readiness probe failed", {"readinessProbe": NOWHERE}
    ),
    "a liveness probe that nobody answers": Version(
        "probe-failing", OWN, "Liveness probe failed", {"livenessProbe": NOWHERE}
    ),
    "a request that no node has room for": Version(
        "unschedulable",
        OWN,
        "Insufficient cpu",
        {"resources": {"requests": {"cpu": "640"}}},
    ),
    "a GPU that no node has": Version(
        "unschedulable",
        OWN,
        "no node has a free GPU",
        {"resources": {"limits": {"nvidia.com/gpu": "1"}}},
    ),
    "a selector that no node fits": Version(
        "unschedulable",
        OWN,
        "no node matches its node selector",
        spec={"nodeSelector": {"disk": "gold"}},
    ),
    "a Secret that doesn't exist": Version(
        "config-missing",
        "Secret/no-such-secret",
        "does not exist",
        {"envFrom": [{"secretRef": {"name": "no-such-secret"}}]},
    ),
    "a key that a ConfigMap doesn't have": Version(
        "config-missing",
        "ConfigMap/vrooli-dev-config",
        "has no key NO_SUCH_KEY",
        {
            "env": [
                {
                    "name": "X",
                    "valueFrom": {
                        "configMapKeyRef": {"name": "vrooli-dev-config", "key": "NO_SUCH_KEY"}
                    },
                }
            ]
        },
    ),
    "a volume of a Secret that doesn't exist": Version(
        "config-missing", "Secret/no-such-secret", "does not exist", spec={"volumes": [SECRET]}
    ),
    "a volume of a driver that isn't there": Version(
        "volume-not-mounted", OWN, "csi.example.com", spec={"volumes": [CSI]}
    ),
    "what pod security forbids": Version(
        "pod-refused", OWN, "pod security forbids", spec={"hostNetwork": True}
    ),
    "a service account that doesn't exist": Version(
        "pod-refused",
        OWN,
        "service account does not exist",
        spec={"serviceAccountName": "no-such-account"},
        back=False,
    ),
    "a priority class that doesn't exist": Version(
        "pod-refused", OWN, "priority class", spec={"priorityClassName": "no-such-class"}
    ),
}
QUICK = (
    "an image that isn't on the node",
    "a program that ends with an error",
    "a Secret that doesn't exist",
)


@pytest.mark.parametrize(
    "what", [pytest.param(name, marks=() if name in QUICK else long) for name in VERSIONS]
)
async def test_a_version_that_can_not_run_is_named_and_mended(
    kube: Kube, surgery: Surgery, beside: str, what: str
) -> None:
    version = VERSIONS[what]

    async def injure() -> None:
        await sample_deployment.put(
            kube, sample_deployment.deployment(version.container, version.spec), beside
        )

    async def undo() -> None:
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await kube.delete(CORE, "ServiceAccount", "no-such-account", beside)
        await sample_deployment.until_ready(kube, beside)

    named = await surgery(version.rule, version.about, injure, undo)
    said = named.diagnosis.causes[0].finding
    assert version.says in said.message
    assert said.evidence
    assert named.command.startswith(UNDO) is version.back


@long
async def test_a_rollout_that_is_paused_is_named_and_goes_on(
    kube: Kube, surgery: Surgery, beside: str
) -> None:
    env = {"env": [{"name": "VERSION", "value": "2"}]}

    async def undo() -> None:
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await sample_deployment.until_ready(kube, beside)

    await surgery(
        "rollout-stuck",
        OWN,
        lambda: sample_deployment.put(kube, sample_deployment.deployment(env, paused=True), beside),
        undo,
    )


@long
async def test_a_pull_secret_that_does_not_exist_is_named_and_made(
    kube: Kube, live: Live, surgery: Surgery, beside: str, tmp_path: Path
) -> None:
    spec = {"imagePullSecrets": [{"name": "no-such-secret"}]}
    (tmp_path / "config.json").write_text('{"auths": {}}')

    async def undo() -> None:
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await kube.delete(CORE, "Secret", "no-such-secret", beside)
        await sample_deployment.until_ready(kube, beside)

    await surgery(
        "pull-secret-missing",
        "Secret/no-such-secret",
        lambda: sample_deployment.put(kube, sample_deployment.deployment(spec=spec), beside),
        undo,
        mend=lambda command: live_faults.run(
            live, command.replace("=config.json", f"={tmp_path}/config.json")
        ),
    )


@long
async def test_a_quota_without_room_is_named_and_raised(
    kube: Kube, surgery: Surgery, beside: str
) -> None:
    metadata = {"name": "small", "namespace": beside}
    quota = {"apiVersion": CORE, "kind": "ResourceQuota", "metadata": metadata}
    quota["spec"] = {"hard": {"pods": "1"}}

    async def injure() -> None:
        await kube.apply(quota)
        await _counted(kube, beside)
        await sample_deployment.put(
            kube, sample_deployment.deployment({"env": [{"name": "A", "value": "1"}]}), beside
        )

    async def undo() -> None:
        await kube.delete(CORE, "ResourceQuota", "small", beside)
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await sample_deployment.until_ready(kube, beside)

    named = await surgery("quota-exceeded", "ResourceQuota/small", injure, undo)
    assert "exceeded quota: small, requested: pods=1" in named.diagnosis.causes[0].finding.message


async def _counted(kube: Kube, namespace: str) -> None:
    def lacks(found: Manifest | None) -> str | None:
        used = (found or {}).get("status", {}).get("used")
        return None if used else "it isn't counted yet"

    await kube.wait_for(CORE, "ResourceQuota", "small", namespace, lacks, 60)


@long
async def test_a_limit_range_that_forbids_a_pod_is_named(
    kube: Kube, surgery: Surgery, beside: str
) -> None:
    spec = {"limits": [{"type": "Container", "max": {"memory": "1100Mi"}}]}
    metadata = {"name": "small", "namespace": beside}
    limits = {"apiVersion": CORE, "kind": "LimitRange", "metadata": metadata, "spec": spec}
    large = {"resources": {"limits": {"memory": "1200Mi"}, "requests": {"memory": "8Mi"}}}

    async def injure() -> None:
        await kube.apply(limits)
        await sample_deployment.put(kube, sample_deployment.deployment(large), beside)

    async def undo() -> None:
        await kube.delete(CORE, "LimitRange", "small", beside)
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await sample_deployment.until_ready(kube, beside)

    named = await surgery("pod-refused", OWN, injure, undo)
    assert "LimitRange" in named.diagnosis.causes[0].finding.message


@long
@pytest.mark.parametrize(
    ("spec", "command"),
    [
        ({"taints": [{"key": "injury", "value": "yes", "effect": "NoSchedule"}]}, "taint"),
        ({"unschedulable": True}, "uncordon"),
    ],
    ids=["tainted", "cordoned"],
)
async def test_a_node_that_takes_no_pod_is_named_and_opened(
    kube: Kube, surgery: Surgery, beside: str, spec: dict[str, Any], command: str
) -> None:
    (node,) = await kube.list(CORE, "Node")
    name = node["metadata"]["name"]
    is_closed = "unschedulable" in spec
    rule = "disruption-budget-blocks" if is_closed else "unschedulable"

    async def injure() -> None:
        await kube.patch(CORE, "Node", name, None, {"spec": spec})
        await sample_deployment.put(
            kube, sample_deployment.deployment({"env": [{"name": "A", "value": "1"}]}), beside
        )
        if is_closed:
            await kube.apply(_budget(beside))

    async def undo() -> None:
        await kube.patch(
            CORE, "Node", name, None, {"spec": {"taints": None, "unschedulable": None}}
        )
        await kube.delete("policy/v1", "PodDisruptionBudget", sample_deployment.NAME, beside)
        await sample_deployment.put(kube, sample_deployment.deployment(), beside)
        await sample_deployment.until_ready(kube, beside)

    async def mend(printed: str) -> None:
        await live_faults.run(surgery.live, printed)
        # A budget alone can be changed; the node is still closed then.
        if "uncordon" not in printed:
            await kube.patch(CORE, "Node", name, None, {"spec": {"unschedulable": None}})

    named = await surgery(rule, f"Node/{name}" if is_closed else OWN, injure, undo, mend=mend)
    assert is_closed or command in named.command


def _budget(namespace: str) -> Manifest:
    selector = {"matchLabels": sample_deployment.LABELS}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": sample_deployment.NAME, "namespace": namespace},
        "spec": {"minAvailable": 1, "selector": selector},
    }


ADMINER = "vrooli-dev-adminer"
PORTS = [{"name": "http", "port": 8080, "targetPort": "no-such-port", "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"spec": {"selector": {"app.kubernetes.io/component": "nobody"}}}, "no pod matches its"),
        pytest.param({"spec": {"ports": PORTS}}, "targets no-such-port", marks=long),
    ],
    ids=["by its labels", "by its port"],
)
async def test_a_service_that_leads_nowhere_is_named_and_put_back(
    kube: Kube, live: Live, surgery: Surgery, change: dict[str, Any], says: str
) -> None:
    home = live.environment.namespace
    before = await kube.get(CORE, "Service", ADMINER, home)
    assert before is not None
    spec = {key: before["spec"][key] for key in ("selector", "ports")}
    named = await surgery(
        "service-without-endpoints",
        f"Service/{ADMINER}",
        lambda: kube.patch(CORE, "Service", ADMINER, home, change),
        lambda: kube.patch(CORE, "Service", ADMINER, home, {"spec": spec}),
    )
    assert says in named.diagnosis.causes[0].finding.message


@long
async def test_a_deployment_scaled_to_no_pods_is_named_before_its_service(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    named = await surgery(
        "scaled-to-zero",
        f"Deployment/{ADMINER}",
        lambda: kube.patch(APPS, "Deployment", ADMINER, home, {"spec": {"replicas": 0}}),
        lambda: kube.patch(APPS, "Deployment", ADMINER, home, {"spec": {"replicas": 1}}),
    )
    assert named.command == f"kubectl scale deployment/{ADMINER} -n {home} --replicas=1"


def _to(service: str) -> list[dict[str, Any]]:
    backend = {"service": {"name": service, "port": {"name": "http"}}}
    return [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("ingress-without-backend", {"spec": {"rules": _to("no-such-service")}}),
        pytest.param(
            "ingress-class-missing", {"spec": {"ingressClassName": "no-such-class"}}, marks=long
        ),
    ],
)
async def test_an_ingress_that_leads_nowhere_is_named_and_put_back(
    kube: Kube, live: Live, surgery: Surgery, rule: str, change: dict[str, Any]
) -> None:
    home, name = live.environment.namespace, live.environment.release
    before = await kube.get(NETWORKS, "Ingress", name, home)
    assert before is not None
    spec = {key: before["spec"][key] for key in ("rules", "ingressClassName")}
    await surgery(
        rule,
        f"Ingress/{name}",
        lambda: kube.patch(NETWORKS, "Ingress", name, home, change),
        lambda: kube.patch(NETWORKS, "Ingress", name, home, {"spec": spec}),
    )


@long
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("traefik", "ingress-controller-down"),
        ("coredns", "dns-failing"),
        ("metrics-server", "api-service-down"),
    ],
)
async def test_a_helper_of_the_cluster_that_is_down_is_named_and_started(
    kube: Kube, surgery: Surgery, name: str, rule: str
) -> None:
    before = await kube.get(APPS, "Deployment", name, HELPERS)
    assert before is not None
    spec = {"replicas": before["spec"]["replicas"]}
    named = await surgery(
        rule,
        f"Deployment/{name}",
        lambda: kube.patch(APPS, "Deployment", name, HELPERS, {"spec": {"replicas": 0}}),
        lambda: kube.patch(APPS, "Deployment", name, HELPERS, {"spec": spec}),
    )
    assert named.command == f"kubectl scale deployment/{name} -n {HELPERS} --replicas=1"


def _way_in(namespace: str) -> Manifest:
    return {
        "apiVersion": NETWORKS,
        "kind": "Ingress",
        "metadata": {"name": sample_deployment.NAME, "namespace": namespace},
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{"host": "injured.localhost", **_to(ADMINER)[0]}],
            "tls": [{"secretName": "injured-tls", "hosts": ["injured.localhost"]}],
        },
    }


@pytest.mark.parametrize(
    ("rule", "lasts"),
    [
        pytest.param("tls-secret-missing", None, marks=long),
        ("certificate-expired", timedelta(days=-1)),
        pytest.param("certificate-ends-soon", timedelta(days=2), marks=long),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_named_and_mended(
    kube: Kube,
    live: Live,
    surgery: Surgery,
    tmp_path: Path,
    rule: str,
    lasts: timedelta | None,
) -> None:
    home = live.environment.namespace
    pair = tmp_path / "tls.crt", tmp_path / "tls.key"

    async def injure() -> None:
        await kube.apply(_way_in(home))
        if lasts is not None:
            self_signed(*pair, lasts)
            await kube.apply(_pair(home, *pair))
        self_signed(*pair, timedelta(days=90))

    async def undo() -> None:
        await kube.delete(NETWORKS, "Ingress", sample_deployment.NAME, home)
        await kube.delete(CORE, "Secret", "injured-tls", home)

    async def mend(command: str) -> None:
        for file in pair:
            command = command.replace(f"={file.name}", f"={file}")
        await live_faults.run(live, command)

    await surgery(rule, "Secret/injured-tls", injure, undo, mend=mend)


def _pair(namespace: str, certificate: Path, key: Path) -> Manifest:
    data = {
        name: base64.b64encode(path.read_bytes()).decode()
        for name, path in (("tls.crt", certificate), ("tls.key", key))
    }
    metadata = {"name": "injured-tls", "namespace": namespace}
    return {
        "apiVersion": CORE,
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/tls",
        "data": data,
    }


@long
async def test_a_policy_that_was_changed_by_hand_is_named_and_put_back(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home, name = live.environment.namespace, "vrooli-dev-nsfw-detector"
    before = await kube.get(NETWORKS, "NetworkPolicy", name, home)
    assert before is not None
    named = await surgery(
        "network-policy-refuses",
        f"NetworkPolicy/{name}",
        lambda: kube.patch(NETWORKS, "NetworkPolicy", name, home, {"spec": {"ingress": None}}),
        lambda: kube.patch(
            NETWORKS, "NetworkPolicy", name, home, {"spec": {"ingress": before["spec"]["ingress"]}}
        ),
    )
    said = named.diagnosis.causes[0].finding.message
    assert "vrooli-dev-jobs to vrooli-dev-nsfw-detector, TCP port 8000" in said


def _claim(namespace: str, cls: str | None) -> Manifest:
    claim = workload.claim(sample_deployment.NAME)
    claim["metadata"]["namespace"] = namespace
    if cls:
        claim["spec"]["storageClassName"] = cls
    return claim


@long
@pytest.mark.parametrize("cls", ["no-such-class", None], ids=["class missing", "no default class"])
async def test_a_claim_without_a_class_is_named_and_mended(
    kube: Kube, live: Live, surgery: Surgery, cls: str | None
) -> None:
    home = live.environment.namespace
    default = "storageclass.kubernetes.io/is-default-class"
    (kind,) = await kube.list("storage.k8s.io/v1", "StorageClass")

    async def mark(value: str) -> None:
        change = {"metadata": {"annotations": {default: value}}}
        await kube.patch(
            "storage.k8s.io/v1", "StorageClass", kind["metadata"]["name"], None, change
        )

    async def injure() -> None:
        if cls is None:
            await mark("false")
        await kube.apply(_claim(home, cls))

    async def undo() -> None:
        await kube.delete(CORE, "PersistentVolumeClaim", sample_deployment.NAME, home)
        await mark("true")

    await surgery("volume-pending", f"PersistentVolumeClaim/{sample_deployment.NAME}", injure, undo)


@long
async def test_a_provisioner_that_is_down_is_named_and_started(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home, name = live.environment.namespace, "local-path-provisioner"
    pod = workload.pod("injured-claimant", volume=sample_deployment.NAME)

    async def injure() -> None:
        await kube.patch(APPS, "Deployment", name, HELPERS, {"spec": {"replicas": 0}})
        await kube.apply(_claim(home, None))
        await kube.apply(pod, namespace=home)

    async def undo() -> None:
        await kube.patch(APPS, "Deployment", name, HELPERS, {"spec": {"replicas": 1}})
        await kube.delete(CORE, "Pod", "injured-claimant", home)
        await kube.delete(CORE, "PersistentVolumeClaim", sample_deployment.NAME, home)

    await surgery("volume-pending", f"Deployment/{name}", injure, undo)


@long
async def test_a_job_that_has_failed_is_named_and_deleted(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    spec = workload.pod("injured-job")["spec"]
    spec["restartPolicy"] = "Never"
    spec["containers"][0]["command"] = ["perl", "-e", "print qq(nothing to migrate\\n); exit 4"]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "injured-job", "namespace": home},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }
    named = await surgery(
        "job-failed",
        "Job/injured-job",
        lambda: kube.apply(job),
        lambda: kube.delete("batch/v1", "Job", "injured-job", home),
    )
    assert "nothing to migrate" in named.diagnosis.causes[0].finding.message


@long
async def test_a_pod_that_a_node_turned_away_is_named_and_deleted(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    (node,) = await kube.list(CORE, "Node")
    pod = workload.pod("injured-out")
    pod["spec"]["nodeName"] = node["metadata"]["name"]
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "640"}}
    named = await surgery(
        "evicted",
        "Pod/injured-out",
        lambda: kube.apply(pod, namespace=home),
        lambda: kube.delete(CORE, "Pod", "injured-out", home),
    )
    assert "OutOfcpu" in named.diagnosis.causes[0].finding.message


@long
async def test_a_scaler_without_a_target_is_named_and_deleted(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    target = {"apiVersion": APPS, "kind": "Deployment", "name": "no-such-deployment"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": sample_deployment.NAME, "namespace": home},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2},
    }
    await surgery(
        "scaler-without-metrics",
        f"HorizontalPodAutoscaler/{sample_deployment.NAME}",
        lambda: kube.apply(scaler),
        lambda: kube.delete(
            "autoscaling/v2", "HorizontalPodAutoscaler", sample_deployment.NAME, home
        ),
    )


@long
async def test_another_release_with_the_same_secrets_is_named(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    source = {"envFrom": [{"secretRef": {"name": "vrooli-redis-creds"}}]}
    other = sample_deployment.deployment(source, name="injured-other", replicas=0)
    other["metadata"]["labels"] = {"app.kubernetes.io/instance": "other-release"}

    async def undo() -> None:
        await kube.delete(APPS, "Deployment", "injured-other", home)

    async def mend(command: str) -> None:
        assert "injured-other" in await live_faults.run(live, command)
        await undo()

    await surgery(
        "shared-between-releases",
        "Release/other-release",
        lambda: kube.apply(other, namespace=home),
        undo,
        mend=mend,
    )


async def test_what_a_killed_deploy_leaves_is_named_and_cleared_away(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    release = Release.of(live.environment, live.kubeconfig)
    last = await storage.fetch_revision(kube, release)
    assert last is not None
    note = await _pending_note(kube, release, last.number)
    await surgery(
        "helm-pending",
        f"Release/{release.name}",
        lambda: kube.create(note, release.namespace),
        lambda: kube.delete(CORE, "Secret", note["metadata"]["name"], release.namespace),
    )


async def _pending_note(kube: Kube, release: Release, number: int) -> Manifest:
    """Helm's note of the next revision, in the middle of an upgrade since long ago."""
    prefix = f"sh.helm.release.v1.{release.name}.v"
    found = await kube.get(CORE, "Secret", f"{prefix}{number}", release.namespace)
    assert found is not None
    noted = helm_secrets.unpacked(found)
    noted["version"] = number + 1
    noted["info"] |= {"status": "pending-upgrade", "last_deployed": "2026-01-01T00:00:00Z"}
    metadata = found["metadata"]
    labels = {**metadata["labels"], "status": "pending-upgrade", "version": str(number + 1)}
    return {
        "apiVersion": CORE,
        "kind": "Secret",
        "metadata": {"name": f"{prefix}{number + 1}", "labels": labels},
        "type": found["type"],
        "data": {"release": helm_secrets.packed(noted)},
    }


@long
async def test_the_lease_of_a_killed_deploy_is_named_and_deleted(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home, name = live.environment.namespace, f"{live.environment.release}-deploy"
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": home},
        "spec": {
            "holderIdentity": "ann@elsewhere, process 7",
            "leaseDurationSeconds": 30,
            "renewTime": "2026-01-01T00:00:00.000000Z",
        },
    }
    await surgery(
        "deploy-lease-stale",
        f"Lease/{name}",
        lambda: kube.create(lease, home),
        lambda: kube.delete("coordination.k8s.io/v1", "Lease", name, home),
    )


@long
async def test_an_object_that_does_not_go_is_named_and_let_go(
    kube: Kube, live: Live, surgery: Surgery
) -> None:
    home = live.environment.namespace
    metadata = {
        "name": sample_deployment.NAME,
        "namespace": home,
        "finalizers": ["example.com/cleanup"],
    }
    body = {"apiVersion": CORE, "kind": "ConfigMap", "metadata": metadata}

    async def injure() -> None:
        await kube.create(body, home)
        await kube.delete(CORE, "ConfigMap", sample_deployment.NAME, home)

    async def undo() -> None:
        if await kube.get(CORE, "ConfigMap", sample_deployment.NAME, home):
            change = {"metadata": {"finalizers": None}}
            await kube.patch(CORE, "ConfigMap", sample_deployment.NAME, home, change)

    await surgery("stuck-terminating", f"ConfigMap/{sample_deployment.NAME}", injure, undo)


@long
async def test_an_api_service_that_is_left_over_is_named_and_deleted(
    kube: Kube, surgery: Surgery
) -> None:
    name = "v1.injury.example.com"
    served = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": {
            "group": "injury.example.com",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "no-such-service", "namespace": HELPERS},
        },
    }
    await surgery(
        "api-service-down",
        f"APIService/{name}",
        lambda: kube.apply(served),
        lambda: kube.delete("apiregistration.k8s.io/v1", "APIService", name),
    )


@pytest.mark.parametrize(
    ("rule", "namespace"),
    [("namespace-missing", "no-such-namespace"), ("release-missing", "default")],
)
async def test_a_release_that_is_somewhere_else_is_named_as_missing(
    kube: Kube, live: Live, rule: str, namespace: str
) -> None:
    elsewhere = replace(live, environment=replace(live.environment, namespace=namespace))
    named = await live_faults.until_named(kube, elsewhere, rule)
    rule_proofs.record(rule, named)
    assert live.environment.release in await live_faults.run(live, named.command)
