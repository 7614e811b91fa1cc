"""Whether the ends of an arrow are there: pods, Services, and why they aren't, in words.

No I/O here.
"""

from __future__ import annotations

from vrooli.graph import reading
from vrooli.graph.live.snapshot import Sight
from vrooli.graph.model import Party
from vrooli.graph.reading import Body
from vrooli.kube.status import is_pod_ready


def unseen(seen: Sight, party: Party) -> str:
    """Why nothing is known of a party's pods; empty when something is."""
    why = seen.refusal("Pod", party.namespace or seen.namespace)
    return f"the pods of {party.title} could not be seen: {why}" if why else ""


def trouble(seen: Sight, party: Party) -> str:
    """Why a party can't take or make connections; empty when it can, or is elsewhere."""
    if party.host or unseen(seen, party):
        return ""
    pods = seen.pods(party)
    if any(is_pod_ready(pod) for pod in pods):
        return _without_endpoints(seen, party)
    if not pods:
        return _absent(seen, party)
    reasons = "; ".join(dict.fromkeys(_why(pod) for pod in pods[:3]))
    return f"no pod of {party.title} is ready: {reasons}"


def ready(seen: Sight, party: Party) -> str:
    """How many of a party's pods are ready, in words."""
    pods = seen.pods(party)
    count = sum(is_pod_ready(pod) for pod in pods)
    return f"{count} of {len(pods)} pods of {party.title} ready"


def _absent(seen: Sight, party: Party) -> str:
    kind, name = party.workload or ("", "")
    if not kind:
        return f"there is no pod of {party.title}"
    if seen.refusal(kind):
        return f"there is no pod of {party.title}"
    body = seen.get(kind, name)
    if body is None:
        return f"{kind}/{name} doesn't exist"
    if reading.number(body, "spec", "replicas", default=1) == 0:
        return f"{kind}/{name} is scaled to 0"
    said = next(
        (
            reading.text(item, "message")
            for item in reading.items(body, "status", "conditions")
            if reading.text(item, "status") != "True" or "Failure" in reading.text(item, "type")
        ),
        "",
    )
    return f"{kind}/{name} has no pods{f': {said}' if said else ''}"


def _without_endpoints(seen: Sight, party: Party) -> str:
    """A Service of the party that is there and leads to nothing that is ready."""
    namespace = party.namespace or seen.namespace
    if seen.refusal("EndpointSlice", namespace) or seen.refusal("Service", namespace):
        return ""
    for name in party.services:
        service = seen.get("Service", name, namespace)
        # A Service without a selector may be an alias whose addresses aren't pods.
        if service is not None and reading.mapping(service, "spec", "selector"):
            if not _endpoints(seen, name, namespace):
                return f"Service/{name} has no ready endpoints"
        elif service is None and party.workload:
            return f"Service/{name} doesn't exist"
    return ""


def _endpoints(seen: Sight, service: str, namespace: str) -> int:
    return sum(
        reading.at(endpoint, "conditions", "ready") is not False
        for item in seen.all("EndpointSlice", namespace)
        if reading.labels_of(item).get("kubernetes.io/service-name") == service
        for endpoint in reading.items(item, "endpoints")
    )


def _why(pod: Body) -> str:
    """Why a pod isn't ready."""
    name = reading.name_of(pod)
    for item in reading.items(pod, "status", "conditions"):
        if (reading.text(item, "type"), reading.text(item, "status")) == ("PodScheduled", "False"):
            return f"{name}: {reading.text(item, 'message') or 'not scheduled'}"
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in reading.items(pod, "status", key):
            waits = reading.mapping(container, "state", "waiting")
            if reason := reading.text(waits, "reason"):
                said = reading.text(waits, "message")
                return f"{name}: {reason}{f': {said}' if said else ''}"
    return f"{name}: {reading.text(pod, 'status', 'phase') or 'not ready'}, its probe fails"
