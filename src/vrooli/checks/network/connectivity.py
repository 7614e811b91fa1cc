"""Names are resolved, and pods reach pods, Services and Vault."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from vrooli.checks import probe_pods
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.vault import state
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators.vso.operator import CONNECTION

DNS_LABELS = "k8s-app=kube-dns"
DNS_COMMAND = f"kubectl get pods -A -l {DNS_LABELS}"
# What each question of the asking pod is about.
WHAT = {
    "dns": "the name kubernetes.default.svc",
    "dns-service": "the name of a new Service",
    "pod": "a pod by its address",
    "service": "a Service by its name",
    "vault": "Vault",
}
REMEDIES = {
    "dns": ("See whether the cluster's DNS runs.", DNS_COMMAND),
    "dns-service": ("See whether the cluster's DNS follows the API.", DNS_COMMAND),
    "pod": (
        "See whether the network plugin runs on every node.",
        "kubectl get pods -A -o wide",
    ),
    "service": (
        "See whether kube-proxy, or what stands for it, runs on every node.",
        "kubectl get endpointslices -A",
    ),
    "vault": ("See vso.vaultAddr, and Vault's pods and network policies.", "kubectl get pods -A"),
}


def _others(site: Site) -> dict[str, tuple[str, int]]:
    """Where pods of the release will go beside each other."""
    request = state.vault_request(site)
    if request is None:
        return {}
    url = urlsplit(request.address)
    ports = {"http": 80, "https": 443}
    return {"vault": (url.hostname or "", url.port or ports.get(url.scheme, 0))}


def judge(name: str, answers: Mapping[str, str], about: tuple[str, ...]) -> CheckResult:
    """What a pod reached and what not; empty answers are good ones."""
    answered = [key for key in about if key in answers]
    findings = tuple(
        Finding(name, WHAT[key], f"a pod can't reach it: {answers[key]}.", *REMEDIES[key])
        for key in answered
        if answers[key]
    )
    good = [WHAT[key] for key in answered if not answers[key]]
    return CheckResult(f"a pod reaches {', '.join(good)}" if good else "", findings)


async def run_dns(site: Site) -> CheckResult:
    """Ask from a pod; without one, see whether the DNS pods are ready."""
    if not site.creates:
        return judge_dns(await site.objects("apps/v1", "Deployment", None, DNS_LABELS))
    return judge("dns", await probe_pods.answers(site, _others(site)), ("dns", "dns-service"))


def judge_dns(deployments: list[Manifest]) -> CheckResult:
    """Whether the cluster's DNS is ready, by its Deployment."""
    if not deployments:
        return CheckResult(
            unavailable=(f"the cluster's DNS: no Deployment has the label {DNS_LABELS}",)
        )
    reasons = [why for item in deployments if (why := deployment_unready_reason(item))]
    if reasons:
        message = f"{'; '.join(reasons)}."
        return CheckResult(
            findings=(Finding("dns", "the cluster's DNS", message, *REMEDIES["dns"]),)
        )
    name = deployments[0]["metadata"]["name"]
    return CheckResult(f"{name} is ready; not asked, since --check-only makes no pod")


async def run_network(site: Site) -> CheckResult:
    """Ask from a pod."""
    answers = await probe_pods.answers(site, _others(site))
    return judge("network", answers, ("pod", "service"))


async def run_vault(site: Site) -> CheckResult:
    """Ask from a pod; without one, see what the operator says of its connections."""
    request = state.vault_request(site)
    if site.creates:
        return judge("vault-connection", await probe_pods.answers(site, _others(site)), ("vault",))
    connections = await site.objects(CONNECTION.api_version, CONNECTION.kind)
    return judge_connections(request.address if request else "", connections)


def judge_connections(address: str, connections: list[Manifest]) -> CheckResult:
    """What the Vault Secrets Operator, a pod, has found at this address."""
    here = [item for item in connections if item["spec"].get("address") == address]
    reported = [item for item in here if "valid" in (item.get("status") or {})]
    if not reported:
        return CheckResult(unavailable=("no pod was asked, since --check-only makes none",))
    bad = [item for item in reported if not item["status"]["valid"]]
    if bad:
        name = f"VaultConnection/{bad[0]['metadata']['name']} in {bad[0]['metadata']['namespace']}"
        message = f"the Vault Secrets Operator can't use {address}."
        return CheckResult(
            findings=(Finding("vault-connection", name, message, *REMEDIES["vault"]),)
        )
    return CheckResult(f"the Vault Secrets Operator's pod reaches {address}")


def _pod_skip_reason(site: Site) -> str:
    return probe_pods.skip_reason(site) if site.creates else ""


def _vault_needless(site: Site) -> str:
    return state.skip_reason(site) or _pod_skip_reason(site)


LIMIT_S = 18.0
MAKES = "two pods and two Services, shared by three checks"
DNS = Check(
    "dns",
    "DNS",
    "a pod resolves the names of the API server and of a new Service",
    run_dns,
    _pod_skip_reason,
    limit_s=LIMIT_S,
    creates=MAKES,
)
NETWORK = Check(
    "network",
    "Pod network",
    "a pod can connect to another pod (on another node, if there is one) and to a Service",
    run_network,
    _pod_skip_reason,
    limit_s=LIMIT_S,
    after=("dns",),  # names are all that the asking pod knows of the other one
    creates=MAKES,
)
VAULT = Check(
    "vault-connection",
    "Vault connection",
    "a pod can connect to the address of Vault",
    run_vault,
    _vault_needless,
    limit_s=LIMIT_S,
    creates=MAKES,
)
