"""Whether connections run between two parties: what the kernels of their pods say. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.graph import reading
from vrooli.graph.live import endpoints, snapshot
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import Sight
from vrooli.graph.model import Calls, Judgement, Party, Passes, State
from vrooli.graph.reading import Body
from vrooli.kube.status import is_pod_ready

CONTROLLER = "app.kubernetes.io/name"


def calls(way: Calls, seen: Sight) -> Judgement:
    """One party's connections to another."""
    for end in (way.source, way.target):
        if why := endpoints.unseen(seen, end):
            return Judgement(State.UNSEEN, why)
    # What it leads to is what people look for: its trouble is said first.
    for end in (way.target, way.source):
        if why := endpoints.trouble(seen, end):
            return Judgement(State.BROKEN, why)
    return _judged(seen, seen.pods(way.source), way.source.title, (way.target,))


def passes(way: Passes, seen: Sight) -> Judgement:
    """An Ingress controller's connections to what an Ingress leads to."""
    if why := seen.refusal("Ingress"):
        return Judgement(State.UNSEEN, f"the Ingress could not be seen: {why}")
    if why := _shut(way, seen):
        return Judgement(State.BROKEN, why)
    controllers = _controllers(way, seen)
    if not controllers:
        return Judgement(State.UNSEEN, "the pods of the Ingress controller could not be found")
    if not any(is_pod_ready(pod) for pod in controllers):
        return Judgement(State.BROKEN, "no pod of the Ingress controller is ready")
    found = _judged(seen, controllers, "the Ingress controller", way.targets)
    if way.entrance and found.state is State.ACTIVE:
        return Judgement(State.ACTIVE, f"requests are passed on: {found.why}")
    return found


def _shut(way: Passes, seen: Sight) -> str:
    """Why nothing gets through an Ingress."""
    if seen.get("Ingress", way.ingress) is None:
        return f"Ingress/{way.ingress} doesn't exist"
    classes = seen.refusal("IngressClass", "")
    if way.class_name and not classes and seen.get("IngressClass", way.class_name, "") is None:
        return f"there is no IngressClass {way.class_name}, so no controller serves it"
    troubles = [why for target in way.targets if (why := endpoints.trouble(seen, target))]
    # Other paths may lead somewhere; the entrance is shut when none does.
    shut = troubles and (not way.entrance or len(troubles) == len(way.targets))
    return "; ".join(troubles) if shut else ""


def _judged(seen: Sight, sources: list[Body], title: str, targets: tuple[Party, ...]) -> Judgement:
    opened, closed = _count(seen, sources, targets)
    to = ", ".join(target.title for target in targets)
    if opened:
        return Judgement(State.ACTIVE, f"{_number(opened)} open from {title} to {to}")
    if closed:
        said = f"{_number(closed)} from {title} to {to} closed within the last minute"
        return Judgement(State.ACTIVE, said)
    asked = [*sources, *(pod for target in targets for pod in seen.pods(target))]
    heard = [pod for pod in asked if _key(pod) in seen.sockets]
    if not heard:
        why = next((seen.mute[_key(pod)] for pod in asked if _key(pod) in seen.mute), "")
        said = f": {why}" if why else ""
        return Judgement(State.UNSEEN, f"connections could not be looked at{said}")
    return Judgement(State.IDLE, f"no connection from {title} to {to} at this moment")


def _count(seen: Sight, sources: list[Body], targets: Iterable[Party]) -> tuple[int, int]:
    """Connections that are open, and those closed lately, on the side that tells of more."""
    out, into = set(), set()
    source_ips = {ip for pod in sources for ip in snapshot.ips(pod)}
    for target in targets:
        reached = seen.addresses(target)
        for item in _sockets(seen, sources):
            if item.remote in reached or (target.host and _is_outside(seen, item.remote, target)):
                out.add(item)
        for item in _sockets(seen, seen.pods(target)):
            if item.remote[0] in source_ips and item.local[1] in target.ports:
                into.add(item)
    opened = max(sum(item.is_open for item in side) for side in (out, into))
    closed = max(sum(not item.is_open for item in side) for side in (out, into))
    return opened, closed


def _sockets(seen: Sight, pods: Iterable[Body]) -> Iterator[Socket]:
    for pod in pods:
        yield from seen.sockets.get(_key(pod), ())


def _is_outside(seen: Sight, remote: tuple[str, int], target: Party) -> bool:
    """Whether an address is none of the cluster's own, on the target's port."""
    own = {ip for pod in seen.all("Pod") for ip in snapshot.ips(pod)}
    services = {
        str(ip) for item in seen.all("Service") for ip in reading.items(item, "spec", "clusterIPs")
    }
    return remote[1] in target.ports and remote[0] not in own | services


def _controllers(way: Passes, seen: Sight) -> list[Body]:
    """The controller's pods: in the namespaces that policies let in, by the class' own word."""
    classes = [seen.get("IngressClass", way.class_name, "")] if way.class_name else []
    word = " ".join(reading.text(item, "spec", "controller") for item in classes)
    pods = list(_everywhere(seen, way.namespaces))
    named = [
        pod for pod in pods if (name := reading.labels_of(pod).get(CONTROLLER)) and name in word
    ]
    return named or (pods if way.namespaces else [])


def _everywhere(seen: Sight, namespaces: tuple[str, ...]) -> Iterator[Body]:
    for kind, namespace in seen.objects:
        if kind == "Pod" and namespace in namespaces:
            yield from seen.all("Pod", namespace)


def _key(pod: Body) -> tuple[str, str]:
    return reading.text(pod, "metadata", "namespace"), reading.name_of(pod)


def _number(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"
