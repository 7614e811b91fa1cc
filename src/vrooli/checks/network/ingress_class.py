"""The Ingress' class is there."""

from __future__ import annotations

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest

API = ("networking.k8s.io/v1", "IngressClass")


async def run(site: Site) -> CheckResult:
    """Whether each class that an Ingress names is there."""
    return judge(site.requirements.ingress_classes, await site.objects(*API))


def judge(required: tuple[str, ...], classes: list[Manifest]) -> CheckResult:
    """What the cluster's classes lack."""
    names = {item["metadata"]["name"] for item in classes}
    others = ", ".join(sorted(names))
    remedy = (
        f"Set ingress.className to one that is there ({others}), or install the controller that "
        "brings it."
        if others
        else "Install the controller that brings it and serves it; the cluster has no class."
    )
    missing = [name for name in required if name not in names]
    return CheckResult(
        ", ".join(name for name in required if name in names),
        tuple(
            Finding(
                "ingress",
                f"IngressClass/{name}",
                "it isn't there, so no controller would serve the Ingress (ingress.className).",
                remedy,
                "kubectl get ingressclass",
            )
            for name in missing
        ),
    )


def skip_reason(site: Site) -> str:
    """Why no class is needed."""
    return "" if site.requirements.ingress_classes else "these values have no Ingress with a class"


CHECK = Check(
    "ingress",
    "Ingress class",
    "the class of the Ingress exists",
    run,
    skip_reason,
    stops_deploy=True,
)
