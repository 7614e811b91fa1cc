"""Installs the Redis operator from its vendor's chart, or from the Go module's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.events import Progress
from vrooli.operators.installation import helm, pod_policy
from vrooli.operators.installation.images import pod_annotations, split
from vrooli.operators.model import Distribution, Operator, Site, Source, VendorChart
from vrooli.operators.redis import probes
from vrooli.programs.versions import REDIS_OPERATOR

IMAGE = f"localhost/vrooli/redis-operator:{REDIS_OPERATOR}"
RELEASE = "spotahome-redis-operator"
VENDOR = VendorChart("redis-operator", "3.2.7", ("https://spotahome.github.io/redis-operator",))
# Helm's release name contains the chart's name, so the Deployment is named after it.
DISTRIBUTIONS = {
    Source.VENDOR: Distribution(REDIS_OPERATOR, RELEASE, release=RELEASE),
    Source.GO_MODULE: Distribution(REDIS_OPERATOR, RELEASE, (IMAGE,), RELEASE),
}
# The restricted pod security standard requires it; the chart's default is less.
SECURITY = {
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
# No CPU limit: the chart's 100m throttles its start and each failover.
RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def inputs(source: Source, site: Site) -> Mapping[str, Any]:
    """The chart, its values and the policy for its pods."""
    return {
        "chart": VENDOR.version,
        "values": _values(source, site),
        "probes": probes.POLICY.manifests(),
    }


async def install(operator: Operator, source: Source, site: Site, progress: Progress) -> None:
    """Install its chart; its definitions are applied before, server-side."""
    await pod_policy.apply(probes.POLICY, site.kube, progress)
    values = _values(source, site)
    if source is Source.VENDOR:
        await helm.install_vendor(operator, RELEASE, site, values, progress)
        return
    chart = await site.module_dir(operator.name, progress) / "charts" / "redisoperator"
    release = helm.ChartRelease(RELEASE, operator.namespace, str(chart), values)
    await helm.install(site, release, progress)


def _values(source: Source, site: Site) -> dict[str, Any]:
    values: dict[str, Any] = {"securityContext": SECURITY, "resources": RESOURCES}
    if source is Source.GO_MODULE:
        repository, tag = split(IMAGE)
        values["image"] = {"repository": repository, "tag": tag}
        values["annotations"] = pod_annotations(site, (IMAGE,))
    return values
