"""Which changes of its resource an operator has not made, or cannot make. No I/O here.

`observedGeneration` only says that an operator has read a resource, and some have no status at all:
what it makes (volumes, StatefulSets, pods) is compared with what the resource asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from vrooli.kube import quantities
from vrooli.kube.objects import Body, items, labels, number, text
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import has_condition, workload_status
from vrooli.operators import volumes
from vrooli.operators.custom_resource import CustomResource
from vrooli.operators.volumes import VolumeSpec

REVISION_HASH = "controller-revision-hash"
# The conditions of a claim whose volume is being resized.
RESIZING = ("Resizing", "FileSystemResizePending")


def unready_reason(resource: CustomResource, body: Body, objects: Snapshot) -> str | None:
    """Why an object is not ready, in words; None if it is.

    A change that the operator cannot make comes first: waiting does not help.

    Args:
        resource: Its kind.
        body: The object.
        objects: The namespace's objects.
    """
    if resource.readiness is None:
        return None
    refusal = next(refusals(resource, body, objects), None)
    reason = refusal or resource.readiness(body, objects)
    return reason or next(pending_changes(resource, body, objects), None)


def refusals(resource: CustomResource, body: Body, objects: Snapshot) -> Iterator[str]:
    """What the API server or the operator refuses for an object; waiting does not help.

    Args:
        resource: Its kind.
        body: The object.
        objects: The namespace's objects.
    """
    for workload in objects.all("StatefulSet") if resource.has_data else ():
        if owns(body, workload) and (message := refused_pods(workload, objects)):
            yield f"the pods of StatefulSet/{workload['metadata']['name']} are refused: {message}"
    yield from refused_changes(resource, body, objects)


def refused_changes(resource: CustomResource, body: Body, objects: Snapshot) -> Iterator[str]:
    """Changes of an object that its operator cannot make.

    Args:
        resource: Its kind.
        body: The object.
        objects: The namespace's objects.
    """
    yield from resource.refused_changes(body, objects)
    for spec in resource.volume_specs(body):
        for claim in spec.claims(objects.all(volumes.KIND)):
            yield from _refused_claim(spec, claim)


def pending_changes(resource: CustomResource, body: Body, objects: Snapshot) -> Iterator[str]:
    """Changes of an object that its operator has still to make.

    Args:
        resource: Its kind.
        body: The object.
        objects: The namespace's objects.
    """
    yield from small_volumes(resource, body, objects)
    for spec in resource.volume_specs(body):
        for claim in spec.claims(objects.all(volumes.KIND)):
            if has_condition(claim, *RESIZING):
                yield f"the volume {claim['metadata']['name']} is being resized to {spec.size}"
    yield from resource.pending_changes(body, objects)


def small_volumes(resource: CustomResource, body: Body, objects: Snapshot) -> Iterator[str]:
    """The volumes whose claims request less than an object does.

    An operator raises the request first, before the volume grows.

    Args:
        resource: Its kind.
        body: The object.
        objects: The namespace's objects.
    """
    for spec in resource.volume_specs(body):
        for claim in spec.claims(objects.all(volumes.KIND)):
            name, size = claim["metadata"]["name"], volumes.storage_request(claim["spec"])
            if volumes.compare_sizes(size, spec.size) < 0:
                yield f"the volume {name} has {size}, {spec.size} is requested"


def refused_pods(workload: Body, objects: Snapshot) -> str:
    """Why the API server refuses a StatefulSet's pods; empty if it does not, or they exist."""
    name = workload["metadata"]["name"]
    owned = [pod for pod in objects.all("Pod") if owner(pod) == ("StatefulSet", name)]
    if len(owned) >= number(workload, "spec", "replicas", default=1):
        return ""
    messages = [
        event.message
        for event in objects.events
        if event.reason == "FailedCreate"
        and (event.about.kind, event.about.name) == ("StatefulSet", name)
        and event.uid in ("", text(workload, "metadata", "uid"))
    ]
    return " ".join(messages[-1].split()) if messages else ""


def changed_at(body: Body) -> datetime:
    """When somebody last changed an object's specification; the earliest time if unknown."""
    times = [
        text(entry, "time")
        for entry in items(body, "metadata", "managedFields")
        if entry.get("time") and not entry.get("subresource")
    ]
    time = max(times, default=text(body, "metadata", "creationTimestamp"))
    return (
        datetime.fromisoformat(time).astimezone(UTC) if time else datetime.min.replace(tzinfo=UTC)
    )


def owns(body: Body, other: Body) -> bool:
    """Whether a resource is among the owner references of another object."""
    return (text(body, "kind"), text(body, "metadata", "name")) in {
        (text(reference, "kind"), text(reference, "name"))
        for reference in items(other, "metadata", "ownerReferences")
    }


def owner(body: Body) -> tuple[str, str]:
    """Kind and name of an object's first owner; both empty if it has none."""
    references = items(body, "metadata", "ownerReferences")
    return (text(references[0], "kind"), text(references[0], "name")) if references else ("", "")


def outdated_pods(stateful_set: Body, objects: Snapshot) -> list[Body]:
    """A StatefulSet's pods that are not of its current revision."""
    revision = workload_status(stateful_set).revision
    name = stateful_set["metadata"]["name"]
    return [
        pod
        for pod in objects.pods()
        if revision
        and owner(pod) == ("StatefulSet", name)
        and labels(pod).get(REVISION_HASH) != revision
    ]


def has_settings(workload: Body, settings: Mapping[str, Any], container: str) -> bool:
    """Whether a workload's container has the image and the resources that a resource asks for."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    actual = next((item for item in containers if item["name"] == container), None)
    if actual is None:
        return True
    image = settings.get("image")
    if image and actual.get("image") != image:
        return False
    desired, current = settings.get("resources") or {}, actual.get("resources") or {}
    return all(
        quantities.amounts(desired.get(kind)).items()
        <= quantities.amounts(current.get(kind)).items()
        for kind in ("requests", "limits")
    )


def _refused_claim(spec: VolumeSpec, claim: Body) -> Iterator[str]:
    name, size = claim["metadata"]["name"], volumes.storage_request(claim["spec"])
    storage_class = text(claim, "spec", "storageClassName")
    if spec.storage_class and spec.storage_class != storage_class:
        yield f"the volume {name} is of class {storage_class}, {spec.storage_class} is requested"
    if volumes.compare_sizes(size, spec.size) > 0 and not spec.has_limit:
        yield f"the volume {name} has {size}, {spec.size} is requested: it cannot become smaller"
