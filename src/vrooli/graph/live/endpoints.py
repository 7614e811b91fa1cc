"""Whether the pods and Services of an endpoint are available, and why not.

No I/O here.
"""

from __future__ import annotations

from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.relations import Endpoint
from vrooli.kube import objects
from vrooli.kube.objects import Body
from vrooli.kube.status import is_pod_ready, pod_status


def access_error(snapshot: GraphSnapshot, endpoint: Endpoint) -> str:
    """Why an endpoint's pods could not be listed; empty if they were."""
    error = snapshot.list_error("Pod", endpoint.namespace or snapshot.namespace)
    return f"the pods of {endpoint.title} could not be read: {error}" if error else ""


def unavailable_reason(snapshot: GraphSnapshot, endpoint: Endpoint) -> str:
    """Why an endpoint cannot accept or open connections; empty if it can or is external."""
    if endpoint.host or access_error(snapshot, endpoint):
        return ""
    pods = snapshot.endpoint_pods(endpoint)
    if any(is_pod_ready(pod) for pod in pods):
        return _missing_endpoints_reason(snapshot, endpoint)
    if not pods:
        return _missing_pods_reason(snapshot, endpoint)
    reasons = "; ".join(dict.fromkeys(_not_ready_reason(pod) for pod in pods[:3]))
    return f"no pod of {endpoint.title} is ready: {reasons}"


def format_ready(snapshot: GraphSnapshot, endpoint: Endpoint) -> str:
    """How many of an endpoint's pods are ready, as text."""
    pods = snapshot.endpoint_pods(endpoint)
    count = sum(is_pod_ready(pod) for pod in pods)
    return f"{count} of {len(pods)} pods of {endpoint.title} ready"


def _missing_pods_reason(snapshot: GraphSnapshot, endpoint: Endpoint) -> str:
    kind, name = endpoint.workload or ("", "")
    if not kind:
        return f"there is no pod of {endpoint.title}"
    if snapshot.list_error(kind):
        return f"there is no pod of {endpoint.title}"
    body = snapshot.find(kind, name)
    if body is None:
        return f"{kind}/{name} doesn't exist"
    if objects.number(body, "spec", "replicas", default=1) == 0:
        return f"{kind}/{name} is scaled to 0"
    message = next(
        (
            objects.text(item, "message")
            for item in objects.items(body, "status", "conditions")
            if objects.text(item, "status") != "True" or "Failure" in objects.text(item, "type")
        ),
        "",
    )
    return f"{kind}/{name} has no pods{f': {message}' if message else ''}"


def _missing_endpoints_reason(snapshot: GraphSnapshot, endpoint: Endpoint) -> str:
    """A Service of the endpoint that is missing or has no ready endpoints, as text."""
    namespace = endpoint.namespace or snapshot.namespace
    if snapshot.list_error("EndpointSlice", namespace) or snapshot.list_error("Service", namespace):
        return ""
    for name in endpoint.services:
        service = snapshot.find("Service", name, namespace)
        # A Service without a selector may have addresses that are not pods.
        if service is not None and objects.mapping(service, "spec", "selector"):
            if not _count_ready(snapshot, name, namespace):
                return f"Service/{name} has no ready endpoints"
        elif service is None and endpoint.workload:
            return f"Service/{name} doesn't exist"
    return ""


def _count_ready(snapshot: GraphSnapshot, service: str, namespace: str) -> int:
    return sum(
        objects.dig(endpoint, "conditions", "ready") is not False
        for item in snapshot.all("EndpointSlice", namespace)
        if objects.labels(item).get("kubernetes.io/service-name") == service
        for endpoint in objects.items(item, "endpoints")
    )


def _not_ready_reason(pod: Body) -> str:
    """Why a pod isn't ready."""
    status = pod_status(pod)
    if status.scheduling is not None and status.is_unscheduled:
        return f"{status.name}: {status.scheduling.message or 'not scheduled'}"
    for item in status.containers:
        if item.waiting_reason:
            message = f": {item.waiting_message}" if item.waiting_message else ""
            return f"{status.name}: {item.waiting_reason}{message}"
    return f"{status.name}: {status.phase or 'not ready'}, its probe fails"
