"""The class of the Ingress exists."""

from __future__ import annotations

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest

API = ("networking.k8s.io/v1", "IngressClass")


async def run(site: Site) -> CheckResult:
    """Check that each class that an Ingress references exists."""
    return judge(site.requirements.ingress_classes, await site.objects(*API))


def judge(required: tuple[str, ...], classes: list[Manifest]) -> CheckResult:
    """The required classes that do not exist."""
    names = {item["metadata"]["name"] for item in classes}
    others = ", ".join(sorted(names))
    remedy = (
        f"Set ingress.className to an existing class ({others}), or install the controller of this "
        "class."
        if others
        else "Install the controller of this class; the cluster has no classes."
    )
    missing = [name for name in required if name not in names]
    return CheckResult(
        ", ".join(name for name in required if name in names),
        tuple(
            Finding(
                "ingress",
                f"IngressClass/{name}",
                "it does not exist, so no controller would serve the Ingress (ingress.className).",
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
