"""How the Vault Secrets Operator fares: what a login like its own gave, else its own events.

No I/O here. The probe asks Vault as the operator does, so its answer is of this moment; an event
tells of a try that may be long ago.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.log_search import recent_lines
from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.probes import vault_secrets
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, condition, dig, number, ref_of, text
from vrooli.operators import VSO
from vrooli.vault.policies import NAMES

OK, FORBIDDEN, NOT_FOUND, BAD = 200, 403, 404, 400
LOGIN_EVENT, READ_EVENT, SYNC_EVENT = (
    "VaultClientConfigError",
    "VaultClientError",
    "SecretSyncError",
)
# How the operator tries again: at first after this long, then ever later, up to a limit, seconds.
FIRST_S, FACTOR, MOST_S, JITTER = 5.0, 1.5, 60.0, 1.5
# After this many events of one kind the API server gets one in five minutes.
EVENT_BURST, DROPPED_S = 25, 330.0
# After this long without an event there was a try that gave none.
LONGEST_S = MOST_S * JITTER + FIRST_S
# What the operator logs of each login that fails.
FAILED_LOGIN = "Failed to get NewClientWithLogin"
_CODE = re.compile(r"Code: (\d{3})")


@dataclass(frozen=True)
class Login:
    """How Vault takes the login of one VaultAuth.

    Attributes:
        auth: The VaultAuth object.
        status: Vault's HTTP status, 200 where it lets in.
        words: What Vault says.
        mounted: Whether its authentication method is there, as far as Vault tells.
    """

    auth: Body
    status: int
    words: str
    mounted: bool = True

    @property
    def about(self) -> Ref:
        """The VaultAuth."""
        return ref_of(self.auth)

    @property
    def role(self) -> str:
        """The role that it asks for."""
        return text(self.auth, "spec", "kubernetes", "role")

    @property
    def account(self) -> str:
        """The service account that it presents."""
        return text(self.auth, "spec", "kubernetes", "serviceAccount")

    @property
    def mount(self) -> str:
        """Where its authentication method is mounted."""
        return text(self.auth, "spec", "mount")


@dataclass(frozen=True)
class Reading:
    """What Vault gives for one VaultStaticSecret.

    Attributes:
        secret: The VaultStaticSecret object.
        status: Vault's HTTP status.
        words: What Vault says.
        keys: The keys that are there; no values.
        version: The newest version, where it was deleted; 0 otherwise.
        without_data: Whether the path without /data/ may be read.
        is_probed: Whether that is the probe's answer, and not the operator's event.
    """

    secret: Body
    status: int
    words: str
    keys: frozenset[str] = frozenset()
    version: int = 0
    without_data: bool = False
    is_probed: bool = True

    @property
    def about(self) -> Ref:
        """The VaultStaticSecret."""
        return ref_of(self.secret)

    @property
    def path(self) -> str:
        """Its path as policies name it."""
        return vault_secrets.data_path(self.secret)


def logins(evidence: Evidence) -> Iterator[Login]:
    """How each login fares that the release's secrets need."""
    for auth in evidence.all("VaultAuth"):
        reply = _answer(evidence, vault_secrets.LOGIN, ref_of(auth))
        if reply is not None:
            yield Login(
                auth, number(reply, "status"), _words(reply), reply.get("mounted") is not False
            )
        elif event := _refused(evidence, ref_of(auth)):
            yield Login(auth, status(event.message), event.message.strip())


def readings(evidence: Evidence) -> Iterator[Reading]:
    """What Vault gives for each of the release's secrets."""
    for secret in evidence.all("VaultStaticSecret"):
        reply = _answer(evidence, vault_secrets.READ, ref_of(secret))
        if reply is not None:
            keys = reply.get("keys")
            yield Reading(
                secret,
                number(reply, "status"),
                _words(reply),
                frozenset(map(str, keys)) if isinstance(keys, list) else frozenset(),
                number(reply, "version"),
                reply.get("bare") is True,
            )
        elif event := trying(evidence, ref_of(secret), READ_EVENT):
            yield Reading(secret, status(event.message), event.message.strip(), is_probed=False)


def trying(evidence: Evidence, ref: Ref, reason: str) -> Event | None:
    """The last event of a reason, if the operator still meets with it."""
    events = evidence.events_of(ref, reason)
    if not events or events[-1].last is None:
        return None
    last = events[-1]
    attempts = sum(item.count for item in events)
    next_s = min(FIRST_S * FACTOR ** min(attempts, EVENT_BURST), MOST_S) * JITTER + FIRST_S
    limit_s = DROPPED_S if attempts >= EVENT_BURST else next_s
    assert last.last is not None  # noqa: S101 - looked at above
    return last if (evidence.now - last.last).total_seconds() <= limit_s else None


def current_errors(evidence: Evidence) -> Iterator[tuple[Body, Event]]:
    """What the operator meets with at Vault now: each secret with its last word on it."""
    for secret in evidence.all("VaultStaticSecret"):
        ref = ref_of(secret)
        last = next(reversed(evidence.events_of(ref)), None)
        if last is None or last.reason not in (LOGIN_EVENT, READ_EVENT):
            continue
        # Newer operators say when all is well again; of others silence says so.
        is_healthy = condition(secret, "Healthy").get("status") == "True"
        event = None if is_healthy else trying(evidence, ref, last.reason)
        if event is not None and (not _is_readable(evidence, ref) or _is_fresh(evidence, event)):
            yield secret, event


def _is_readable(evidence: Evidence, secret: Ref) -> bool:
    """Whether a login like the operator's was given the secret just now."""
    reply = _answer(evidence, vault_secrets.READ, secret)
    return reply is not None and number(reply, "status") == OK


def _is_fresh(evidence: Evidence, event: Event) -> bool:
    """Whether it is of the last try, even where the probe gets through: no longer told, or logged.

    After many tries few events come: one of minutes ago may tell of what is mended.
    """
    if is_recent(event, evidence.now, LONGEST_S):
        return True
    logged = recent_lines(evidence, FAILED_LOGIN, VSO.namespace, within_s=LONGEST_S)
    return event.reason == LOGIN_EVENT and any(logged)


def login_of(secret: Body) -> Ref:
    """The VaultAuth by which a secret is read."""
    ref = ref_of(secret)
    return Ref("VaultAuth", text(secret, "spec", "vaultAuthRef") or "default", ref.namespace)


def connection(evidence: Evidence, secret: Body) -> Ref:
    """The VaultConnection over which a secret comes, else its VaultAuth."""
    auth = login_of(secret)
    named = text(evidence.get(auth), "spec", "vaultConnectionRef")
    ref = Ref("VaultConnection", named, auth.namespace)
    return ref if evidence.get(ref) is not None else auth


def ours(evidence: Evidence, auth: Ref) -> bool:
    """Whether the Vault behind a VaultAuth is the one of development, that setup mends."""
    body = evidence.get(auth) or {}
    connection = Ref("VaultConnection", text(body, "spec", "vaultConnectionRef"), auth.namespace)
    service = vault_service(evidence.get(connection) or {})
    service_body = evidence.get(service) if service is not None else None
    return text(service_body, "metadata", "labels", "app.kubernetes.io/managed-by") == "vrooli"


SETUP = "vrooli setup --target k8s-cluster"


def _answer(evidence: Evidence, probe: str, ref: Ref) -> Mapping[str, Any] | None:
    answer = evidence.answer(probe, ref)
    if answer is None or not answer.ok:
        return None
    reply = json.loads(answer.text)
    return reply if isinstance(reply, Mapping) else None


def _words(reply: Mapping[str, Any]) -> str:
    errors = reply.get("errors")
    words = "; ".join(str(item) for item in errors) if isinstance(errors, list) else ""
    return " ".join(words.split())


def status(message: str) -> int:
    """Vault's HTTP status in the operator's words; 0 where they have none."""
    match = _CODE.search(message)
    return int(match[1]) if match else 0


def _refused(evidence: Evidence, auth: Ref) -> Event | None:
    """The operator's last word on a login, told at the secrets that need it."""
    events = (
        trying(evidence, ref_of(secret), LOGIN_EVENT)
        for secret in evidence.all("VaultStaticSecret", auth.namespace)
        if dig(secret, "spec", "vaultAuthRef") == auth.name
    )
    return next((event for event in events if event is not None), None)


def logins_with_role(evidence: Evidence, login: Login) -> list[Login]:
    """The logins of all releases here that ask the same Vault for the same role, this one first."""
    others = (Login(auth, 0, "") for auth in evidence.all("VaultAuth", ""))
    where = (_address(evidence, login), login.mount, login.role)
    same = (it for it in others if (_address(evidence, it), it.mount, it.role) == where)
    return [login, *(it for it in same if it.about != login.about)]


def _address(evidence: Evidence, login: Login) -> str:
    named = text(login.auth, "spec", "vaultConnectionRef")
    connection = evidence.get(Ref("VaultConnection", named, login.about.namespace))
    return text(connection, "spec", "address")


def write_role(evidence: Evidence, login: Login) -> str:
    """The command that makes a role, for all who ask for it, with the release's policies."""
    logins_of_role = logins_with_role(evidence, login)
    names = ",".join(dict.fromkeys(it.account for it in logins_of_role))
    namespaces = ",".join(dict.fromkeys(it.about.namespace for it in logins_of_role))
    return (
        f"vault write auth/{login.mount}/role/{login.role} bound_service_account_names={names} "
        f"bound_service_account_namespaces={namespaces} token_policies={','.join(NAMES)}"
    )


def lines(evidence: Evidence, login: Login) -> tuple[str, ...]:
    """What shows how a login fared: Vault's answer, and the operator's last event."""
    reply = f"POST /v1/auth/{login.mount}/login: {login.status} {login.words}"
    event = _refused(evidence, login.about)
    return (reply, *([str(event)] if event is not None else []))
