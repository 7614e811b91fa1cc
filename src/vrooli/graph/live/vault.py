"""Whether secrets come from Vault: what Vault's operator says of its objects. No I/O here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from vrooli.graph import reading
from vrooli.graph.live import connections
from vrooli.graph.live.snapshot import Sight
from vrooli.graph.model import Asks, Calls, Judgement, Party, State, Syncs, Trusts
from vrooli.graph.reading import Body
from vrooli.kube.status import is_pod_ready

OPERATOR = "vault-secrets-operator-system"
OPERATOR_LABELS = (("control-plane", "controller-manager"),)
OPERATOR_PARTY = Party("Vault's operator", OPERATOR_LABELS, namespace=OPERATOR)
# A warning is told while it is this young, seconds: the operator repeats it while it lasts.
RECENT_S = 180.0
VAULT_PORT = 8200


def syncs(way: Syncs, seen: Sight) -> Judgement:
    """Whether a VaultStaticSecret is filled, and is still looked after."""
    if why := seen.refusal("VaultStaticSecret"):
        return Judgement(State.UNSEEN, f"VaultStaticSecrets could not be seen: {why}")
    body = seen.get("VaultStaticSecret", way.name)
    if body is None:
        return Judgement(State.BROKEN, f"VaultStaticSecret/{way.name} doesn't exist")
    if why := _unsynced(way, body, seen) or _operator_trouble(seen):
        return Judgement(State.BROKEN, why)
    if way.refresh and seen.pods(OPERATOR_PARTY):
        said = f"{way.name} is synced, and compared with Vault every {way.refresh}"
        return Judgement(State.ACTIVE, said)
    said = "" if way.refresh == "" else "; its operator could not be seen"
    return Judgement(State.IDLE, f"{way.name} is synced{said}")


def trusts(way: Trusts, seen: Sight) -> Judgement:
    """Whether the operator found a VaultAuth or a VaultConnection valid."""
    if why := seen.refusal(way.kind):
        return Judgement(State.UNSEEN, f"{way.kind}s could not be seen: {why}")
    body = seen.get(way.kind, way.name)
    if body is None:
        return Judgement(State.BROKEN, f"{way.kind}/{way.name} doesn't exist")
    valid = reading.at(body, "status", "valid")
    if valid is True:
        return Judgement(State.ACTIVE, f"{way.kind}/{way.name} is valid")
    if valid is False:
        error = reading.text(body, "status", "error") or _warning(way.kind, way.name, seen)
        said = f": {error}" if error else ""
        return Judgement(State.BROKEN, f"{way.kind}/{way.name} isn't valid{said}")
    return Judgement(State.UNSEEN, f"its operator has said nothing of {way.kind}/{way.name} yet")


def asks(way: Asks, seen: Sight) -> Judgement:
    """Whether the operator has connections to the Vault that it is told of."""
    if why := seen.refusal("Pod", OPERATOR):
        return Judgement(State.UNSEEN, f"the pods of {OPERATOR} could not be seen: {why}")
    if why := _operator_trouble(seen):
        return Judgement(State.BROKEN, why)
    target = vault_at(way.address)
    if target is None or seen.refusal("Pod", target.namespace):
        return Judgement(State.UNSEEN, f"the Vault at {way.address} is outside of what can be seen")
    found = vault_party(way.address, seen)
    if found is None:
        return Judgement(State.BROKEN, f"{way.address} leads to no Service that has pods")
    return connections.calls(Calls(OPERATOR_PARTY, found), seen)


def vault_party(address: str, seen: Sight) -> Party | None:
    """The pods that an address in the cluster leads to, by its Service's selector."""
    target = vault_at(address)
    if target is None:
        return None
    service = seen.get("Service", target.services[0], target.namespace)
    labels = reading.mapping(service, "spec", "selector")
    pairs = tuple((str(key), str(value)) for key, value in labels.items())
    return replace(target, labels=pairs) if pairs else None


def vault_at(address: str) -> Party | None:
    """Where in the cluster a Vault's address leads; None if it leads elsewhere."""
    try:
        split = urlsplit(address)
        host, port = split.hostname or "", split.port or VAULT_PORT
    except ValueError:
        return None
    name, _, rest = host.partition(".")
    namespace, _, kind = rest.partition(".")
    if not name or not namespace or kind.partition(".")[0] != "svc":
        return None
    return Party("Vault", namespace=namespace, services=(name,), ports=(port,))


def _unsynced(way: Syncs, body: Body, seen: Sight) -> str:
    if not reading.text(body, "status", "secretMAC"):
        said = _warning("VaultStaticSecret", way.name, seen)
        return f"Vault hasn't filled Secret/{way.secret} yet{f': {said}' if said else ''}"
    generation = reading.number(body, "metadata", "generation")
    if reading.number(body, "status", "lastGeneration") < generation:
        return f"Secret/{way.secret} isn't filled anew since {way.name} was changed"
    if not seen.refusal("Secret") and seen.get("Secret", way.secret) is None:
        return f"Secret/{way.secret} doesn't exist"
    said = _warning("VaultStaticSecret", way.name, seen)
    return f"{way.name} isn't synced any more: {said}" if said else ""


def _operator_trouble(seen: Sight) -> str:
    """Why the operator can't work; empty when it can, or nobody knows."""
    if ("Pod", OPERATOR) not in seen.objects:
        return ""
    pods = seen.pods(OPERATOR_PARTY)
    if any(is_pod_ready(pod) for pod in pods):
        return ""
    return f"no pod of {OPERATOR} is ready: what changes in Vault doesn't arrive"


def _warning(kind: str, name: str, seen: Sight) -> str:
    """The last thing that the operator said of an object, if it is a warning, and recent."""
    about = [
        item
        for item in seen.all("Event")
        if reading.text(item, "involvedObject", "kind") == kind
        and reading.text(item, "involvedObject", "name") == name
    ]
    if not about:
        return ""
    last = max(about, key=_time)
    recent = (datetime.now(UTC) - _time(last)).total_seconds() < RECENT_S
    if reading.text(last, "type") != "Warning" or not recent:
        return ""
    return reading.text(last, "message")


def _time(event: Body) -> datetime:
    for key in ("lastTimestamp", "eventTime"):
        try:
            return datetime.fromisoformat(reading.text(event, key))
        except ValueError:
            continue
    return datetime.fromtimestamp(0, UTC)
