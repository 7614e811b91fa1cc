"""What a bundle holds beside the evidence of the rules: every log, what is used, which versions."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from vrooli import project
from vrooli.diagnosis.evidence import logs
from vrooli.diagnosis.evidence.access import FORWARD
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube import ApiError, Kube, Patience
from vrooli.kube.fetch import Fetcher
from vrooli.kube.objects import Body, labels, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.kube.unavailable import Unavailable

# Lines of each log, how many logs, and how long reading all of them may take, seconds.
LINES, LOGS, LOGS_S = 500, 150, 12.0
METRICS = "metrics.k8s.io/v1beta1"
# The components that tell numbers of their own, how many pods are asked, and how long one may
# take, seconds.
METRIC_PORTS, METRICS_PATH = {"server": 5329, "jobs": 4001}, "/metrics"
METRIC_PODS, METRICS_S = 10, 4.0
NO_METRICS = Unavailable("metrics of pods", "no right to forward ports of pods (pods/portforward)")


@dataclass(frozen=True)
class More:
    """What was looked at for a bundle only.

    Attributes:
        logs: The end of every log, of this run and of the one before.
        used: What pods and nodes use, as the metrics server says, by kind.
        metrics: The metrics of the server's and the jobs' pods, by pod.
        versions: Of what runs and of what looked.
        unavailable: What couldn't be looked at.
    """

    logs: Mapping[LogSource, Sequence[str]] = field(default_factory=dict)
    used: Mapping[str, Sequence[Body]] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=dict)
    unavailable: Sequence[Unavailable] = ()


async def collect(kube: Kube, evidence: Evidence) -> More:
    """Look at all of it at once."""
    fetcher = Fetcher()
    no_logs: tuple[Mapping[LogSource, Sequence[str]], list[Unavailable]] = ({}, [])
    every = logs.read_all(kube, evidence, Patience(LOGS_S), most=LOGS, tail=LINES)
    pods = [pod for pod in evidence.all("Pod") if _component(pod) in METRIC_PORTS]
    is_open = evidence.may(FORWARD)
    running = [pod for pod in pods if is_open and text(pod, "status", "phase") == "Running"]
    async with asyncio.TaskGroup() as group:
        lines = group.create_task(fetcher.fetch("logs", every, no_logs, None))
        of_pods = group.create_task(_used(fetcher, kube, "PodMetrics", evidence.namespace))
        of_nodes = group.create_task(_used(fetcher, kube, "NodeMetrics", None))
        version = group.create_task(fetcher.fetch("the cluster's version", kube.version(), ""))
        metrics = {
            ref_of(pod).name: group.create_task(
                fetcher.fetch(f"metrics of {ref_of(pod).name}", _metrics(kube, pod), "")
            )
            for pod in running[:METRIC_PODS]
        }
    read, unread = lines.result()
    return More(
        logs=read,
        used={"pods": of_pods.result(), "nodes": of_nodes.result()},
        metrics={name: task.result() for name, task in metrics.items() if task.result()},
        versions=_versions(evidence, version.result()),
        unavailable=(*fetcher.unavailable, *([] if is_open or not pods else [NO_METRICS]), *unread),
    )


async def _used(fetcher: Fetcher, kube: Kube, kind: str, namespace: str | None) -> Sequence[Body]:
    async def listed() -> Sequence[Body]:
        try:
            return await kube.list(METRICS, kind, namespace)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return ()  # no metrics server: nothing to see
            raise

    return await fetcher.fetch(kind, listed(), ())


async def _metrics(kube: Kube, pod: Body) -> str:
    ref, port = ref_of(pod), METRIC_PORTS[_component(pod)]
    async with (
        await kube.port_forward(ref.namespace, ref.name, port) as local,
        httpx.AsyncClient(timeout=METRICS_S) as client,
    ):
        answer = await client.get(f"http://127.0.0.1:{local}{METRICS_PATH}")
        return answer.text


def _component(pod: Body) -> str:
    return text(labels(pod), "app.kubernetes.io/component")


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
