"""Names resolve, and pods can connect to pods, Services and Vault."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from vrooli.checks import probe_pods
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.vault.request import skip_reason, vault_request
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators.vso.operator import CONNECTION

DNS_LABELS = "k8s-app=kube-dns"
DNS_COMMAND = f"kubectl get pods -A -l {DNS_LABELS}"
# The target of each connection test.
WHAT = {
    "dns": "the name kubernetes.default.svc",
    "dns-service": "the name of a new Service",
    "pod": "the address of a pod",
    "service": "the name of a Service",
    "vault": "Vault",
}
REMEDIES = {
    "dns": ("Check whether the cluster's DNS is running.", DNS_COMMAND),
    "dns-service": ("Check whether the cluster's DNS watches the API server.", DNS_COMMAND),
    "pod": (
        "Check whether the network plugin is running on every node.",
        "kubectl get pods -A -o wide",
    ),
    "service": (
        "Check whether kube-proxy, or its replacement, is running on every node.",
        "kubectl get endpointslices -A",
    ),
    "vault": ("Check vso.vaultAddr and Vault's pods and network policies.", "kubectl get pods -A"),
}


def _others(site: Site) -> dict[str, tuple[str, int]]:
    """The targets outside the release that its pods connect to."""
    request = vault_request(site)
    if request is None:
        return {}
    url = urlsplit(request.address)
    ports = {"http": 80, "https": 443}
    return {"vault": (url.hostname or "", url.port or ports.get(url.scheme, 0))}


def judge(name: str, answers: Mapping[str, str], about: tuple[str, ...]) -> CheckResult:
    """The result of the connection tests; an empty answer is a success."""
    answered = [key for key in about if key in answers]
    findings = tuple(
        Finding(name, WHAT[key], f"unreachable from a pod: {answers[key]}.", *REMEDIES[key])
        for key in answered
        if answers[key]
    )
    good = [WHAT[key] for key in answered if not answers[key]]
    return CheckResult(f"reachable from a pod: {', '.join(good)}" if good else "", findings)


async def run_dns(site: Site) -> CheckResult:
    """Test from a pod; with --check-only, check whether the DNS pods are ready."""
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
    return CheckResult(f"{name} is ready; not tested from a pod because of --check-only")


async def run_network(site: Site) -> CheckResult:
    """Test from a pod."""
    answers = await probe_pods.answers(site, _others(site))
    return judge("network", answers, ("pod", "service"))


async def run_vault(site: Site) -> CheckResult:
    """Test from a pod; with --check-only, read the status of the operator's connections."""
    request = vault_request(site)
    if site.creates:
        return judge("vault-connection", await probe_pods.answers(site, _others(site)), ("vault",))
    connections = await site.objects(CONNECTION.api_version, CONNECTION.kind)
    return judge_connections(request.address if request else "", connections)


def judge_connections(address: str, connections: list[Manifest]) -> CheckResult:
    """The status that the Vault Secrets Operator reports for this address."""
    here = [item for item in connections if item["spec"].get("address") == address]
    reported = [item for item in here if "valid" in (item.get("status") or {})]
    if not reported:
        return CheckResult(unavailable=("not tested from a pod because of --check-only",))
    bad = [item for item in reported if not item["status"]["valid"]]
    if bad:
        name = f"VaultConnection/{bad[0]['metadata']['name']} in {bad[0]['metadata']['namespace']}"
        message = f"the Vault Secrets Operator cannot use {address}."
        return CheckResult(
            findings=(Finding("vault-connection", name, message, *REMEDIES["vault"]),)
        )
    return CheckResult(f"{address} is reachable from the Vault Secrets Operator's pod")


def _pod_skip_reason(site: Site) -> str:
    return probe_pods.skip_reason(site) if site.creates else ""


def _vault_skip_reason(site: Site) -> str:
    return skip_reason(site) or _pod_skip_reason(site)


LIMIT_S = 18.0
CREATES = "two pods and two Services, shared by three checks"
DNS = Check(
    "dns",
    "DNS",
    "a pod resolves the names of the API server and of a new Service",
    run_dns,
    _pod_skip_reason,
    limit_s=LIMIT_S,
    creates=CREATES,
)
NETWORK = Check(
    "network",
    "Pod network",
    "a pod can connect to another pod (on another node, if there is one) and to a Service",
    run_network,
    _pod_skip_reason,
    limit_s=LIMIT_S,
    after=("dns",),  # the client pod has only the name of the server pod
    creates=CREATES,
)
VAULT = Check(
    "vault-connection",
    "Vault connection",
    "a pod can connect to the address of Vault",
    run_vault,
    _vault_skip_reason,
    limit_s=LIMIT_S,
    creates=CREATES,
)
