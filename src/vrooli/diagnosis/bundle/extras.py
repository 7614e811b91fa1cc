"""Data that only a bundle contains: all logs, resource usage, metrics of pods, versions."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import httpx

from vrooli import project
from vrooli.diagnosis.bundle import metrics
from vrooli.diagnosis.bundle.metrics import MetricsEndpoint
from vrooli.diagnosis.evidence.collection import logs
from vrooli.diagnosis.evidence.collection.access import FORWARD
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube import ApiError, Kube, RequestBudget, pod_http
from vrooli.kube.fetch import Fetcher
from vrooli.kube.objects import Body, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.kube.unavailable import Unavailable

# Lines of each log, how many logs, and how long reading all of them may take, seconds.
LINES, LOGS, LOGS_S = 500, 150, 12.0
METRICS = "metrics.k8s.io/v1beta1"
# How many metrics endpoints are read, and the time limit of each, seconds.
ENDPOINTS, METRICS_S = 20, 4.0
# The last line of metrics that were longer.
CUT = f"# cut off after {pod_http.LIMIT_MIB} MiB\n"
NO_METRICS = Unavailable("metrics of pods", "no permission to forward ports (pods/portforward)")


@dataclass(frozen=True)
class More:
    """Data that only a bundle contains.

    Attributes:
        logs: The last lines of every log, of the current and the previous run.
        used: The resource usage of pods and nodes from the metrics server, by kind.
        metrics: The Prometheus metrics of pods, by pod and port.
        versions: The versions of vrooli, Python, Kubernetes, nodes and images.
        unavailable: The data that could not be read.
    """

    logs: Mapping[LogSource, Sequence[str]] = field(default_factory=dict)
    used: Mapping[str, Sequence[Body]] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=dict)
    unavailable: Sequence[Unavailable] = ()


async def collect(kube: Kube, evidence: Evidence) -> More:
    """Read all of it concurrently."""
    fetcher = Fetcher()
    no_logs: tuple[Mapping[LogSource, Sequence[str]], list[Unavailable]] = ({}, [])
    every = partial(logs.read_all, kube, evidence, RequestBudget(LOGS_S), most=LOGS, tail=LINES)
    async with asyncio.TaskGroup() as group:
        lines = group.create_task(fetcher.fetch("logs", every, no_logs, None))
        of_pods = group.create_task(
            _listed(fetcher, kube, METRICS, "PodMetrics", evidence.namespace)
        )
        of_nodes = group.create_task(_listed(fetcher, kube, METRICS, "NodeMetrics", None))
        version = group.create_task(fetcher.fetch("the cluster's version", kube.version, ""))
        endpoints = group.create_task(_metrics(fetcher, kube, evidence))
    read, unread = lines.result()
    return More(
        logs=read,
        used={"pods": of_pods.result(), "nodes": of_nodes.result()},
        metrics=endpoints.result(),
        versions=_versions(evidence, version.result()),
        unavailable=(*fetcher.unavailable, *unread),
    )


async def _listed(
    fetcher: Fetcher, kube: Kube, api: str, kind: str, namespace: str | None
) -> Sequence[Body]:
    """The objects of a kind; none if the cluster does not have the kind."""

    async def listed() -> Sequence[Body]:
        try:
            return await kube.list(api, kind, namespace)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return ()
            raise

    return await fetcher.fetch(kind, listed, ())


async def _metrics(fetcher: Fetcher, kube: Kube, evidence: Evidence) -> Mapping[str, str]:
    """The metrics of pods, by pod and port."""
    kinds = (
        _listed(fetcher, kube, metrics.API, kind, evidence.namespace) for kind in metrics.KINDS
    )
    monitors = [
        {"kind": kind, **body}
        for kind, bodies in zip(metrics.KINDS, await asyncio.gather(*kinds), strict=True)
        for body in bodies
    ]
    endpoints = metrics.find_endpoints(evidence, monitors)[:ENDPOINTS]
    if endpoints and not evidence.may(FORWARD):
        fetcher.unavailable.append(NO_METRICS)
        return {}
    reads = (
        fetcher.fetch(f"metrics of {endpoint.name}", partial(_scrape, kube, endpoint), "")
        for endpoint in endpoints
    )
    texts = zip(endpoints, await asyncio.gather(*reads), strict=True)
    return {endpoint.name: text for endpoint, text in texts if text}


async def _scrape(kube: Kube, endpoint: MetricsEndpoint) -> str:
    answer = await pod_http.get(kube, endpoint.pod, endpoint.port, endpoint.path, limit_s=METRICS_S)
    return f"{answer.text}\n{CUT}" if answer.is_cut else answer.text


def _versions(evidence: Evidence, kubernetes: str) -> Mapping[str, object]:
    pods = [*evidence.all("Pod", "")]
    images = {item.image for pod in pods for item in pod_status(pod).containers}
    return {
        "vrooli": project.version(),
        "python": platform.python_version(),
        "kubernetes": kubernetes,
        "nodes": {
            ref_of(node).name: text(node, "status", "nodeInfo", "kubeletVersion")
            for node in evidence.all("Node")
        },
        "images": sorted(images - {""}),
    }
