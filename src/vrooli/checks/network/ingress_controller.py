"""The controller of the Ingress class is running."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.network import ingress_class
from vrooli.findings import Finding
from vrooli.kube import Manifest
from vrooli.kube.status import daemon_set_unready_reason, deployment_unready_reason

NAME = "ingress-controller"
# The pod labels of well-known controllers, by the controller name in their IngressClass.
LABELS: Mapping[str, str] = {
    "traefik.io/ingress-controller": "app.kubernetes.io/name=traefik",
    "k8s.io/ingress-nginx": "app.kubernetes.io/name=ingress-nginx",
    "nginx.org/ingress-controller": "app.kubernetes.io/name=nginx-ingress",
    "haproxy.org/ingress-controller": "app.kubernetes.io/name=kubernetes-ingress",
    "projectcontour.io/ingress-controller": "app.kubernetes.io/name=contour",
}


async def run(site: Site) -> CheckResult:
    """Check that the pods of each class's controller are ready."""
    classes = await site.objects(*ingress_class.API)
    used = [
        item for item in classes if item["metadata"]["name"] in site.requirements.ingress_classes
    ]
    summaries: list[str] = []
    findings: list[Finding] = []
    unavailable: list[str] = []
    for item in used:
        controller = str(item["spec"].get("controller", ""))
        labels = LABELS.get(controller)
        if labels is None:
            unavailable.append(f"the pods of {controller}, whose labels are unknown")
            continue
        workloads = [
            *await site.objects("apps/v1", "Deployment", None, labels),
            *await site.objects("apps/v1", "DaemonSet", None, labels),
        ]
        result = judge(controller, labels, workloads)
        summaries.append(result.summary)
        findings += result.findings
    return CheckResult(", ".join(filter(None, summaries)), tuple(findings), tuple(unavailable))


def judge(controller: str, labels: str, workloads: Iterable[Manifest]) -> CheckResult:
    """Whether any Deployment or DaemonSet of a controller is ready."""
    reasons = {
        f"{item['kind']}/{item['metadata']['name']}": unready_reason(item) for item in workloads
    }
    ready = [name for name, missing in reasons.items() if missing is None]
    if ready:
        return CheckResult(f"{controller}: {', '.join(ready)} ready")
    command = f"kubectl get deployments,daemonsets,pods -A -l {shell.selector(labels)}"
    why = "; ".join(f"{name}: {missing}" for name, missing in reasons.items())
    message = f"its pods are not ready: {why}." if why else "it has no workload."
    remedy = "Install or repair the controller, or set a different class in ingress.className."
    return CheckResult(findings=(Finding(NAME, controller, message, remedy, command),))


def unready_reason(item: Manifest) -> str | None:
    """Why a Deployment or a DaemonSet is not ready; None if it is."""
    if item["kind"] == "Deployment":
        return deployment_unready_reason(item)
    return daemon_set_unready_reason(item)


CHECK = Check(
    NAME,
    "Ingress controller",
    "the pods of the controller of the Ingress class are ready",
    run,
    ingress_class.skip_reason,
    after=("ingress",),
)
