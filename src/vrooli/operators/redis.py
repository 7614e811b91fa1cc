"""The Spotahome Redis operator: RedisFailover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.events import Progress
from vrooli.operators import crds, helm
from vrooli.operators.images import pod_notes, split
from vrooli.operators.interface import Site, Source, VendorChart
from vrooli.programs.catalog import REDIS_OPERATOR

IMAGE = f"localhost/vrooli/redis-operator:{REDIS_OPERATOR}"
RELEASE = "spotahome-redis-operator"
# What the restricted pod security standard wants; the chart's own default is less.
SECURITY = {
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
# No CPU limit: the chart's 100m makes its start, and each failover, wait for the throttle.
RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


class RedisOperator:
    """Version 1.2.4 from either source; its chart there is 3.2.7, and 3.2.6 in the Go module."""

    name = "redis-operator"
    title = "Redis operator (Spotahome)"
    namespace = "redis-operator"
    selector = "app.kubernetes.io/name=redis-operator"
    vendor = VendorChart("redis-operator", "3.2.7", ("https://spotahome.github.io/redis-operator",))

    def version(self, source: Source) -> str:
        """The same from both."""
        return REDIS_OPERATOR

    def deployment(self, source: Source) -> str:
        """Helm's release name, which holds the chart's name already."""
        return RELEASE

    def images(self, source: Source) -> tuple[str, ...]:
        """One of ours, for the Go module."""
        return (IMAGE,) if source is Source.GO_MODULE else ()

    def inputs(self, source: Source, site: Site) -> Mapping[str, Any]:
        """The chart and its values."""
        return {"chart": self.vendor.version, "values": self._values(source, site)}

    async def install(self, source: Source, site: Site, progress: Progress) -> None:
        """Install its chart; the definitions of the local one are applied before, server-side."""
        values = self._values(source, site)
        if source is Source.VENDOR:
            release = await helm.vendor_release(self.vendor, RELEASE, self.namespace, values)
        else:
            chart = await site.module_dir(self.name, progress) / "charts" / "redisoperator"
            await crds.apply(site.kube, await helm.chart_crds(chart), progress)
            release = helm.ChartRelease(RELEASE, self.namespace, str(chart), values)
        await helm.apply(site.kubeconfig, release)

    def _values(self, source: Source, site: Site) -> dict[str, Any]:
        values: dict[str, Any] = {"securityContext": SECURITY, "resources": RESOURCES}
        if source is Source.GO_MODULE:
            repository, tag = split(IMAGE)
            values["image"] = {"repository": repository, "tag": tag}
            values["annotations"] = pod_notes(site, self.images(source))
        return values
