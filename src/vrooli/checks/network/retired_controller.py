"""The Ingress is not served by ingress-nginx, which its project has retired.

Source: https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.network import ingress_class
from vrooli.kube import classes
from vrooli.kube.objects import Body, name, text

RETIRED = "k8s.io/ingress-nginx"


async def run(site: Site) -> CheckResult:
    """Warn of each class of the release that the retired controller serves."""
    ingresses = [item.body for item in site.of_kind("Ingress")]
    return judge(ingresses, await site.objects(*ingress_class.API))


def judge(ingresses: Iterable[Body], existing: Sequence[Body]) -> CheckResult:
    """A warning for each class that these Ingresses use and that the retired controller serves."""
    used = dict.fromkeys(found for item in ingresses for found in _classes_of(item, existing))
    controllers = {name(item): text(item, "spec", "controller") for item in existing}
    retired = [item for item in used if controllers.get(item) == RETIRED]
    others = [found for found in used if found in controllers and found not in retired]
    return CheckResult(
        ", ".join(f"{item}: {controllers[item]}" for item in others),
        warnings=tuple(
            f"IngressClass/{item} is served by ingress-nginx ({RETIRED}), which its project "
            "retired in March 2026: it gets no more security fixes, unless the vendor of the "
            "cluster maintains a copy. Install another Ingress controller and set "
            "ingress.className to its class, or use a Gateway (gateway.enabled)."
            for item in retired
        ),
    )


def _classes_of(ingress: Body, existing: Iterable[Body]) -> Iterator[str]:
    """The class that an Ingress names, or the default ones."""
    named = text(ingress, "spec", "ingressClassName") or classes.annotated_class(ingress)
    if named:
        yield named
    else:
        yield from (name(item) for item in existing if classes.is_default(item))


def skip_reason(site: Site) -> str:
    """Why no controller is judged."""
    return "" if site.of_kind("Ingress") else "these values have no Ingress"


CHECK = Check(
    "ingress-retired",
    "Retired controller",
    "the controller of the Ingress class is not ingress-nginx, which is retired; a warning does "
    "not stop a deploy",
    run,
    skip_reason,
    stops_deploy=True,
)
