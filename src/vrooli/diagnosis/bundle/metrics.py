"""Where pods serve Prometheus metrics, read from monitors, Services and container ports. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube import common_labels
from vrooli.kube.objects import (
    Body,
    Ref,
    items,
    labels,
    mapping,
    matches_selector,
    port_number,
    ref_of,
    selects,
    text,
)

API, KINDS = "monitoring.coreos.com/v1", ("PodMonitor", "ServiceMonitor")
DEFAULT_PATH = "/metrics"
# The names of container ports that serve metrics, by convention.
PORT_NAMES = ("metrics", "exporter")
# The components of the chart that serve metrics at the port of their Service.
COMPONENTS = ("server", "jobs")


@dataclass(frozen=True)
class MetricsEndpoint:
    """A port of a pod that serves metrics."""

    pod: Ref
    port: int
    path: str = DEFAULT_PATH

    @property
    def name(self) -> str:
        """A unique name, such as vrooli-dev-server-5d9c7b-abcde:5329."""
        return f"{self.pod.name}:{self.port}"


def find_endpoints(evidence: Evidence, monitors: Sequence[Body]) -> list[MetricsEndpoint]:
    """The endpoints of running pods; of two at one port that of a monitor, which knows the path."""
    pods = [pod for pod in evidence.all("Pod") if text(pod, "status", "phase") == "Running"]
    endpoints = {
        (item.pod, item.port): item
        for item in (
            *_of_components(evidence, pods),
            *_of_port_names(pods),
            *(item for body in monitors for item in _of_monitor(evidence, pods, body)),
        )
    }
    return list(endpoints.values())


def _of_monitor(
    evidence: Evidence, pods: Sequence[Body], monitor: Body
) -> Iterator[MetricsEndpoint]:
    selector = mapping(monitor, "spec", "selector")
    if text(monitor, "kind") == "PodMonitor":
        entries = items(monitor, "spec", "podMetricsEndpoints")
        selected: list[tuple[Body, Body | None]] = [
            (pod, None) for pod in pods if matches_selector(selector, labels(pod))
        ]
    else:
        entries = items(monitor, "spec", "endpoints")
        services = [
            item for item in evidence.all("Service") if matches_selector(selector, labels(item))
        ]
        selected = [(pod, item) for item in services for pod in _behind(item, pods)]
    for entry in entries:
        for pod, service in selected:
            port = entry.get("port") or entry.get("targetPort")
            number = port_number(pod, _target(service, port) if service is not None else port)
            if number:
                yield MetricsEndpoint(ref_of(pod), number, text(entry, "path") or DEFAULT_PATH)


def _of_components(evidence: Evidence, pods: Sequence[Body]) -> Iterator[MetricsEndpoint]:
    for service in evidence.all("Service"):
        for pod in _behind(service, pods):
            if text(labels(pod), common_labels.COMPONENT) not in COMPONENTS:
                continue
            for port in items(service, "spec", "ports")[:1]:
                if number := port_number(pod, port.get("targetPort", port.get("port"))):
                    yield MetricsEndpoint(ref_of(pod), number)


def _of_port_names(pods: Sequence[Body]) -> Iterator[MetricsEndpoint]:
    for pod in pods:
        for name in PORT_NAMES:
            if number := port_number(pod, name):
                yield MetricsEndpoint(ref_of(pod), number)


def _behind(service: Body, pods: Sequence[Body]) -> list[Body]:
    """The pods that a Service selects."""
    selector = mapping(service, "spec", "selector")
    return [pod for pod in pods if selector and selects(selector, labels(pod))]


def _target(service: Body, port: object) -> object:
    """The port of the pods that a port of a Service leads to, by name or number."""
    for item in items(service, "spec", "ports"):
        if port in (item.get("name"), item.get("port")):
            return item.get("targetPort", item.get("port"))
    return None
