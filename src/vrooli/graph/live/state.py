"""How each arrow is in a cluster: carries traffic, idle, broken, or not to be seen. No I/O here.

Evidence of traffic is a connection that the kernel of one of the two pods has open now, or closed
within the last minute. What couldn't be looked at is never called broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from vrooli.graph import reading
from vrooli.graph.live import connections, endpoints, vault
from vrooli.graph.live.snapshot import Sight
from vrooli.graph.model import (
    Arrow,
    Asks,
    Calls,
    Consists,
    Diagram,
    Judgement,
    Judgements,
    Passes,
    Publishes,
    Reads,
    State,
    Syncs,
    Trusts,
    Way,
)
from vrooli.redaction import Redactor


def judge(diagrams: Iterable[Diagram], seen: Sight, redactor: Redactor) -> Judgements:
    """Every arrow that is something in the cluster, by its diagram and ends.

    Args:
        diagrams: The pictures with the arrows.
        seen: The cluster.
        redactor: Takes out of the reasons what is secret in states and events.
    """
    return {
        (diagram.name, *arrow.key): _masked(of_arrow(arrow, seen), redactor)
        for diagram in diagrams
        for arrow in diagram.arrows
        if arrow.ways
    }


def _masked(found: Judgement, redactor: Redactor) -> Judgement:
    """Its reason in one line, once it is masked: a secret may go over several."""
    return replace(found, why=" ".join(redactor.text(found.why).split()))


def of_arrow(arrow: Arrow, seen: Sight) -> Judgement:
    """How one arrow is: what is broken decides, then what carries something."""
    found = list(dict.fromkeys(of_way(way, seen) for way in arrow.ways))
    for state in (State.BROKEN, State.ACTIVE, State.IDLE, State.UNSEEN):
        of_state = [item for item in found if item.state is state]
        if of_state:
            said = list(dict.fromkeys(item.why for item in of_state))
            others = [item.why for item in found if item.state is State.UNSEEN is not state]
            return Judgement(state, "; ".join([*said, *others]))
    return Judgement(State.UNSEEN, "nothing of it could be looked at")


def of_way(way: Way, seen: Sight) -> Judgement:
    """How one of the things is that an arrow stands for."""
    rule = _RULES[type(way)]
    return rule(way, seen)


def _reads(way: Reads, seen: Sight) -> Judgement:
    """Pods read Secrets and ConfigMaps when they start; images are pulled before that."""
    missing = [name for name in way.names if seen.get(way.kind, name) is None]
    refused = seen.refusal(way.kind)
    if missing and not refused:
        return Judgement(State.BROKEN, f"{way.kind}/{', '.join(missing)} doesn't exist")
    if why := endpoints.unseen(seen, way.reader):
        return Judgement(State.UNSEEN, why)
    if why := _pulling(way, seen) if way.pull else endpoints.trouble(seen, way.reader):
        return Judgement(State.BROKEN, why)
    if refused:
        said = f"whether {way.kind}/{', '.join(way.names)} exists could not be seen: {refused}"
        return Judgement(State.UNSEEN, said)
    if way.pull:
        return Judgement(State.IDLE, "images are pulled only when pods start")
    return Judgement(State.ACTIVE, f"{endpoints.ready(seen, way.reader)}, started with it")


def _publishes(way: Publishes, seen: Sight) -> Judgement:
    """The Secret that pods read is there, and the rotator looks after it."""
    if not seen.refusal("Secret") and seen.get("Secret", way.secret) is None:
        said = f"Secret/{way.secret} doesn't exist: the rotator makes it from Secret/{way.source}"
        return Judgement(State.BROKEN, said)
    if why := endpoints.unseen(seen, way.rotator):
        return Judgement(State.UNSEEN, why)
    if why := endpoints.trouble(seen, way.rotator):
        said = f"a password that changes in Vault doesn't reach Secret/{way.secret}: {why}"
        return Judgement(State.BROKEN, said)
    return Judgement(State.ACTIVE, f"the rotator publishes {way.source} as {way.secret}")


def _pulling(way: Reads, seen: Sight) -> str:
    """A pod that can't get its image."""
    for pod in seen.pods(way.reader):
        for container in reading.items(pod, "status", "containerStatuses"):
            waits = reading.mapping(container, "state", "waiting")
            if reading.text(waits, "reason") in ("ErrImagePull", "ImagePullBackOff"):
                said = reading.text(waits, "message") or reading.text(waits, "reason")
                return f"{reading.name_of(pod)}: {said}"
    return ""


def _consists(way: Consists, seen: Sight) -> Judgement:
    refused = seen.refusal(way.kind)
    if not refused and seen.get(way.kind, way.name) is None:
        return Judgement(State.BROKEN, f"{way.kind}/{way.name} doesn't exist")
    if why := endpoints.unseen(seen, way.part):
        return Judgement(State.UNSEEN, why)
    if why := endpoints.trouble(seen, way.part):
        return Judgement(State.BROKEN, why)
    return Judgement(State.ACTIVE, endpoints.ready(seen, way.part))


_RULES: dict[type, Callable[[Any, Sight], Judgement]] = {
    Calls: connections.calls,
    Passes: connections.passes,
    Syncs: vault.syncs,
    Publishes: _publishes,
    Trusts: vault.trusts,
    Asks: vault.asks,
    Reads: _reads,
    Consists: _consists,
}
