"""Evaluates the state of each arrow: active, idle, broken or unknown. No I/O here.

Traffic is a connection that is open in the kernel of one of the two pods, or was closed within the
last minute. An arrow that could not be inspected is never reported as broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from vrooli.graph.live import connections, endpoints, vault
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Arrow, ArrowStatus, ArrowStatuses, Diagram, State
from vrooli.graph.relations import (
    Authenticates,
    ConnectsTo,
    Mounts,
    Owns,
    Publishes,
    QueriesVault,
    Relation,
    RoutesTo,
    SyncsSecret,
)
from vrooli.kube import objects
from vrooli.kube.status import pod_status
from vrooli.kube.status.image_pulls import FAILED_PULLS
from vrooli.redaction import Redactor


def evaluate(
    diagrams: Iterable[Diagram], snapshot: GraphSnapshot, redactor: Redactor
) -> ArrowStatuses:
    """The status of every arrow with relations, by diagram and arrow.

    Args:
        diagrams: The diagrams with the arrows.
        snapshot: The state of the cluster.
        redactor: Masks secrets in the messages.
    """
    return {
        (diagram.name, *arrow.key): _redacted(arrow_status(arrow, snapshot), redactor)
        for diagram in diagrams
        for arrow in diagram.arrows
        if arrow.relations
    }


def _redacted(status: ArrowStatus, redactor: Redactor) -> ArrowStatus:
    """The status with a redacted message on one line; redacted first, as secrets may span lines."""
    return replace(status, message=" ".join(redactor.text(status.message).split()))


def arrow_status(arrow: Arrow, snapshot: GraphSnapshot) -> ArrowStatus:
    """The status of one arrow: broken relations take precedence, then active ones."""
    statuses = list(
        dict.fromkeys(relation_status(relation, snapshot) for relation in arrow.relations)
    )
    for state in (State.BROKEN, State.ACTIVE, State.IDLE, State.UNKNOWN):
        matches = [item for item in statuses if item.state is state]
        if matches:
            messages = list(dict.fromkeys(item.message for item in matches))
            unknown = [
                item.message for item in statuses if item.state is State.UNKNOWN is not state
            ]
            return ArrowStatus(state, "; ".join([*messages, *unknown]))
    return ArrowStatus(State.UNKNOWN, "nothing could be inspected")


def relation_status(relation: Relation, snapshot: GraphSnapshot) -> ArrowStatus:
    """The status of one relation."""
    evaluator = _EVALUATORS[type(relation)]
    return evaluator(relation, snapshot)


def _mounts_status(relation: Mounts, snapshot: GraphSnapshot) -> ArrowStatus:
    """Pods read Secrets and ConfigMaps when they start; images are pulled before."""
    missing = [name for name in relation.names if snapshot.find(relation.kind, name) is None]
    list_error = snapshot.list_error(relation.kind)
    if missing and not list_error:
        return ArrowStatus(State.BROKEN, f"{relation.kind}/{', '.join(missing)} doesn't exist")
    if reason := endpoints.access_error(snapshot, relation.reader):
        return ArrowStatus(State.UNKNOWN, reason)
    if (
        reason := _pull_failure(relation, snapshot)
        if relation.pull
        else endpoints.unavailable_reason(snapshot, relation.reader)
    ):
        return ArrowStatus(State.BROKEN, reason)
    if list_error:
        names = ", ".join(relation.names)
        message = f"whether {relation.kind}/{names} exists could not be read: {list_error}"
        return ArrowStatus(State.UNKNOWN, message)
    if relation.pull:
        return ArrowStatus(State.IDLE, "images are pulled only when pods start")
    return ArrowStatus(
        State.ACTIVE, f"{endpoints.format_ready(snapshot, relation.reader)}, started with it"
    )


def _publishes_status(relation: Publishes, snapshot: GraphSnapshot) -> ArrowStatus:
    """The Secret that pods read exists, and the rotator runs."""
    if not snapshot.list_error("Secret") and snapshot.find("Secret", relation.secret) is None:
        message = (
            f"Secret/{relation.secret} doesn't exist: "
            f"the rotator creates it from Secret/{relation.source}"
        )
        return ArrowStatus(State.BROKEN, message)
    if reason := endpoints.access_error(snapshot, relation.rotator):
        return ArrowStatus(State.UNKNOWN, reason)
    if reason := endpoints.unavailable_reason(snapshot, relation.rotator):
        message = f"a changed password in Vault is not copied to Secret/{relation.secret}: {reason}"
        return ArrowStatus(State.BROKEN, message)
    return ArrowStatus(
        State.ACTIVE, f"the rotator publishes {relation.source} as {relation.secret}"
    )


def _pull_failure(relation: Mounts, snapshot: GraphSnapshot) -> str:
    """The error of a pod that cannot pull its image."""
    for pod in snapshot.endpoint_pods(relation.reader):
        for container in pod_status(pod).main_containers:
            if container.waiting_reason in FAILED_PULLS:
                message = container.waiting_message or container.waiting_reason
                return f"{objects.name(pod)}: {message}"
    return ""


def _owns_status(relation: Owns, snapshot: GraphSnapshot) -> ArrowStatus:
    list_error = snapshot.list_error(relation.kind)
    if not list_error and snapshot.find(relation.kind, relation.name) is None:
        return ArrowStatus(State.BROKEN, f"{relation.kind}/{relation.name} doesn't exist")
    if reason := endpoints.access_error(snapshot, relation.part):
        return ArrowStatus(State.UNKNOWN, reason)
    if reason := endpoints.unavailable_reason(snapshot, relation.part):
        return ArrowStatus(State.BROKEN, reason)
    return ArrowStatus(State.ACTIVE, endpoints.format_ready(snapshot, relation.part))


_EVALUATORS: dict[type, Callable[[Any, GraphSnapshot], ArrowStatus]] = {
    ConnectsTo: connections.connects_to_status,
    RoutesTo: connections.routes_to_status,
    SyncsSecret: vault.syncs_secret_status,
    Publishes: _publishes_status,
    Authenticates: vault.authenticates_status,
    QueriesVault: vault.queries_vault_status,
    Mounts: _mounts_status,
    Owns: _owns_status,
}
