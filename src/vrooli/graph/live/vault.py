"""The state of secrets from Vault, from the objects of its operator. No I/O here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from vrooli.graph.live import connections
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import ArrowStatus, State
from vrooli.graph.relations import Authenticates, ConnectsTo, Endpoint, QueriesVault, SyncsSecret
from vrooli.kube import objects
from vrooli.kube.objects import Body, ref_of
from vrooli.kube.status import is_pod_ready
from vrooli.operators import VSO
from vrooli.operators.vso.names import LABELS
from vrooli.vault.address import parse_address

# Maximum age of a warning, seconds: the operator repeats it while the problem persists.
RECENT_S = 180.0


def find_operator(snapshot: GraphSnapshot) -> Endpoint:
    """The Vault Secrets Operator: in its own namespace, else where its pods are."""
    pods = snapshot.active_pods(LABELS, namespace="")
    namespaces = [ref_of(pod).namespace for pod in pods]
    namespace = next((item for item in namespaces if item != VSO.namespace), VSO.namespace)
    if VSO.namespace in namespaces:
        namespace = VSO.namespace
    return Endpoint("Vault's operator", tuple(LABELS.items()), namespace=namespace)


def syncs_secret_status(relation: SyncsSecret, snapshot: GraphSnapshot) -> ArrowStatus:
    """Whether a VaultStaticSecret is synced, and its operator runs."""
    if reason := snapshot.list_error("VaultStaticSecret"):
        return ArrowStatus(State.UNKNOWN, f"VaultStaticSecrets could not be read:  {reason}")
    body = snapshot.find("VaultStaticSecret", relation.name)
    if body is None:
        return ArrowStatus(State.BROKEN, f"VaultStaticSecret/{relation.name} doesn't exist")
    if reason := _sync_failure(relation, body, snapshot) or _operator_failure(snapshot):
        return ArrowStatus(State.BROKEN, reason)
    if relation.refresh and snapshot.endpoint_pods(find_operator(snapshot)):
        message = f"{relation.name} is synced, and compared with Vault every {relation.refresh}"
        return ArrowStatus(State.ACTIVE, message)
    message = "" if relation.refresh == "" else "; its operator could not be inspected"
    return ArrowStatus(State.IDLE, f"{relation.name} is synced{message}")


def authenticates_status(relation: Authenticates, snapshot: GraphSnapshot) -> ArrowStatus:
    """Whether the operator reports a VaultAuth or VaultConnection as valid."""
    if reason := snapshot.list_error(relation.kind):
        return ArrowStatus(State.UNKNOWN, f"{relation.kind}s could not be read: {reason}")
    body = snapshot.find(relation.kind, relation.name)
    if body is None:
        return ArrowStatus(State.BROKEN, f"{relation.kind}/{relation.name} doesn't exist")
    valid = objects.dig(body, "status", "valid")
    if valid is True:
        return ArrowStatus(State.ACTIVE, f"{relation.kind}/{relation.name} is valid")
    if valid is False:
        error = objects.text(body, "status", "error") or _recent_warning(
            relation.kind, relation.name, snapshot
        )
        detail = f": {error}" if error else ""
        return ArrowStatus(State.BROKEN, f"{relation.kind}/{relation.name} isn't valid{detail}")
    return ArrowStatus(
        State.UNKNOWN,
        f"its operator has not reported a status of {relation.kind}/{relation.name} yet",
    )


def queries_vault_status(relation: QueriesVault, snapshot: GraphSnapshot) -> ArrowStatus:
    """Whether the operator has connections to the configured Vault."""
    operator = find_operator(snapshot)
    if reason := snapshot.list_error("Pod", operator.namespace):
        return ArrowStatus(
            State.UNKNOWN, f"the pods of {operator.namespace} could not be read: {reason}"
        )
    if reason := _operator_failure(snapshot):
        return ArrowStatus(State.BROKEN, reason)
    target = parse_vault_address(relation.address)
    if target is None or snapshot.list_error("Pod", target.namespace):
        return ArrowStatus(State.UNKNOWN, f"the Vault at {relation.address} cannot be inspected")
    vault_endpoint = find_vault_endpoint(relation.address, snapshot)
    if vault_endpoint is None:
        return ArrowStatus(State.BROKEN, f"{relation.address} matches no Service with a selector")
    return connections.connects_to_status(ConnectsTo(operator, vault_endpoint), snapshot)


def find_vault_endpoint(address: str, snapshot: GraphSnapshot) -> Endpoint | None:
    """The pods behind an address in the cluster, by the selector of its Service."""
    target = parse_vault_address(address)
    if target is None:
        return None
    service = snapshot.find("Service", target.services[0], target.namespace)
    labels = objects.mapping(service, "spec", "selector")
    pairs = tuple((str(key), str(value)) for key, value in labels.items())
    return replace(target, labels=pairs) if pairs else None


def parse_vault_address(address: str) -> Endpoint | None:
    """The Vault in the cluster that an address leads to; None if it is outside."""
    parsed = parse_address(address)
    if parsed is None or parsed.service is None:
        return None
    service = parsed.service
    return Endpoint(
        "Vault", namespace=service.namespace, services=(service.name,), ports=(parsed.port,)
    )


def _sync_failure(relation: SyncsSecret, body: Body, snapshot: GraphSnapshot) -> str:
    if not objects.text(body, "status", "secretMAC"):
        warning = _recent_warning("VaultStaticSecret", relation.name, snapshot)
        return (
            f"Vault has not filled Secret/{relation.secret} yet{f': {warning}' if warning else ''}"
        )
    generation = objects.number(body, "metadata", "generation")
    if objects.number(body, "status", "lastGeneration") < generation:
        return f"Secret/{relation.secret} has not been updated since {relation.name} was changed"
    if not snapshot.list_error("Secret") and snapshot.find("Secret", relation.secret) is None:
        return f"Secret/{relation.secret} doesn't exist"
    warning = _recent_warning("VaultStaticSecret", relation.name, snapshot)
    return f"{relation.name} isn't synced any more: {warning}" if warning else ""


def _operator_failure(snapshot: GraphSnapshot) -> str:
    """Why the operator cannot work; empty if it can, or if its pods cannot be listed."""
    operator = find_operator(snapshot)
    if not {("Pod", operator.namespace), ("Pod", "")} & set(snapshot.places):
        return ""
    pods = snapshot.endpoint_pods(operator)
    if any(is_pod_ready(pod) for pod in pods):
        return ""
    return f"no pod of {operator.namespace} is ready: changes in Vault are not synced"


def _recent_warning(kind: str, name: str, snapshot: GraphSnapshot) -> str:
    """The message of an object's last event if it is a recent warning."""
    events = [
        item for item in snapshot.events if (item.about.kind, item.about.name) == (kind, name)
    ]
    if not events or events[-1].type != "Warning" or events[-1].last is None:
        return ""
    is_recent = (datetime.now(UTC) - events[-1].last).total_seconds() < RECENT_S
    return events[-1].message if is_recent else ""
