"""The state of the Vault Secrets Operator, from a probe or from its events.

No I/O here. The probe logs in like the operator, so its result is current; an event may be of an
old attempt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli import shell
from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.log_search import recent_lines
from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.probes import vault_secrets
from vrooli.kube import common_labels
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, condition, dig, number, ref_of, text
from vrooli.operators import VSO
from vrooli.vault.policies import scope_of

OK, FORBIDDEN, NOT_FOUND, BAD = 200, 403, 404, 400
LOGIN_EVENT, READ_EVENT, SYNC_EVENT = (
    "VaultClientConfigError",
    "VaultClientError",
    "SecretSyncError",
)
# The operator's back-off: first interval, factor, limit, seconds.
FIRST_S, FACTOR, MOST_S, JITTER = 5.0, 1.5, 60.0, 1.5
# After this many events of one kind only one in five minutes is recorded.
EVENT_BURST, DROPPED_S = 25, 330.0
# After this time without an event, an attempt has succeeded or its event was dropped.
LONGEST_S = MOST_S * JITTER + FIRST_S
# The operator's log message for a failed login.
FAILED_LOGIN = "Failed to get NewClientWithLogin"
_CODE = re.compile(r"Code: (\d{3})")


@dataclass(frozen=True)
class Login:
    """The result of the login of a VaultAuth.

    Attributes:
        auth: The VaultAuth object.
        status: Vault's HTTP status, 200 for a success.
        words: Vault's error message.
        mounted: Whether its auth method exists, as far as known.
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
        """The role of the login."""
        return text(self.auth, "spec", "kubernetes", "role")

    @property
    def account(self) -> str:
        """The service account that it presents."""
        return text(self.auth, "spec", "kubernetes", "serviceAccount")

    @property
    def audiences(self) -> tuple[str, ...]:
        """The audiences of its token; empty for the API server's."""
        return tuple(map(str, dig(self.auth, "spec", "kubernetes", "audiences") or ()))

    @property
    def mount(self) -> str:
        """The mount of the auth method."""
        return text(self.auth, "spec", "mount")


@dataclass(frozen=True)
class Reading:
    """The result of reading a VaultStaticSecret's secret.

    Attributes:
        secret: The VaultStaticSecret object.
        status: Vault's HTTP status.
        words: Vault's error message.
        keys: The keys, without values.
        version: The newest version if it was deleted; 0 otherwise.
        without_data: Whether the path without /data/ may be read.
        is_probed: Whether it is from the probe and not from an event.
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
        """Its path in policies."""
        return vault_secrets.data_path(self.secret)


def logins(evidence: Evidence) -> Iterator[Login]:
    """The result of each login of the release."""
    for auth in evidence.all("VaultAuth"):
        reply = _answer(evidence, vault_secrets.LOGIN, ref_of(auth))
        if reply is not None:
            yield Login(
                auth, number(reply, "status"), _words(reply), reply.get("mounted") is not False
            )
        elif event := _refused(evidence, ref_of(auth)):
            yield Login(auth, status(event.message), event.message.strip())


def readings(evidence: Evidence) -> Iterator[Reading]:
    """The result of reading each secret of the release."""
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
    """The last event of a reason if it is current."""
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
    """The secrets with a current error of the operator, each with its last event."""
    for secret in evidence.all("VaultStaticSecret"):
        ref = ref_of(secret)
        last = next(reversed(evidence.events_of(ref)), None)
        if last is None or last.reason not in (LOGIN_EVENT, READ_EVENT):
            continue
        # Newer operators report that an object is healthy; older ones just stop sending events.
        is_healthy = condition(secret, "Healthy").get("status") == "True"
        event = None if is_healthy else trying(evidence, ref, last.reason)
        if event is not None and (not _is_readable(evidence, ref) or _is_fresh(evidence, event)):
            yield secret, event


def _is_readable(evidence: Evidence, secret: Ref) -> bool:
    """Whether the probe could read the secret."""
    reply = _answer(evidence, vault_secrets.READ, secret)
    return reply is not None and number(reply, "status") == OK


def _is_fresh(evidence: Evidence, event: Event) -> bool:
    """Whether an event is of the last attempt, even if the probe succeeds.

    After many attempts few events are recorded: an older one may be about a fixed error.
    """
    if is_recent(event, evidence.now, LONGEST_S):
        return True
    logged = recent_lines(evidence, FAILED_LOGIN, VSO.namespace, within_s=LONGEST_S)
    return event.reason == LOGIN_EVENT and any(logged)


def login_of(secret: Body) -> Ref:
    """The VaultAuth of a secret."""
    ref = ref_of(secret)
    return Ref("VaultAuth", text(secret, "spec", "vaultAuthRef") or "default", ref.namespace)


def connection(evidence: Evidence, secret: Body) -> Ref:
    """The VaultConnection of a secret, or its VaultAuth."""
    auth = login_of(secret)
    named = text(evidence.get(auth), "spec", "vaultConnectionRef")
    ref = Ref("VaultConnection", named, auth.namespace)
    return ref if evidence.get(ref) is not None else auth


def ours(evidence: Evidence, auth: Ref) -> bool:
    """Whether the Vault of a VaultAuth is the development Vault, which setup configures."""
    body = evidence.get(auth) or {}
    connection = Ref("VaultConnection", text(body, "spec", "vaultConnectionRef"), auth.namespace)
    service = vault_service(evidence.get(connection) or {})
    service_body = evidence.get(service) if service is not None else None
    return text(service_body, "metadata", "labels", common_labels.MANAGED_BY) == "vrooli"


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
    """Vault's HTTP status in a message of the operator; 0 if it has none."""
    match = _CODE.search(message)
    return int(match[1]) if match else 0


def _refused(evidence: Evidence, auth: Ref) -> Event | None:
    """The operator's last event about a login, which it reports at the secrets."""
    events = (
        trying(evidence, ref_of(secret), LOGIN_EVENT)
        for secret in evidence.all("VaultStaticSecret", auth.namespace)
        if dig(secret, "spec", "vaultAuthRef") == auth.name
    )
    return next((event for event in events if event is not None), None)


def logins_with_role(evidence: Evidence, login: Login) -> list[Login]:
    """The logins of all releases with the same Vault and role, this one first."""
    others = (Login(auth, 0, "") for auth in evidence.all("VaultAuth", ""))
    where = (_address(evidence, login), login.mount, login.role)
    same = (it for it in others if (_address(evidence, it), it.mount, it.role) == where)
    return [login, *(it for it in same if it.about != login.about)]


def _address(evidence: Evidence, login: Login) -> str:
    named = text(login.auth, "spec", "vaultConnectionRef")
    connection = evidence.get(Ref("VaultConnection", named, login.about.namespace))
    return text(connection, "spec", "address")


def write_role(evidence: Evidence, login: Login) -> str:
    """The command that creates a role for all its logins, with the release's policies."""
    logins_of_role = logins_with_role(evidence, login)
    names = ",".join(dict.fromkeys(it.account for it in logins_of_role))
    namespaces = ",".join(dict.fromkeys(it.about.namespace for it in logins_of_role))
    return (
        f"vault write auth/{shell.path(login.mount)}/role/{shell.key(login.role)} "
        f"bound_service_account_names={shell.names(names)} "
        f"bound_service_account_namespaces={shell.names(namespaces)}{_audience(login)} "
        f"token_policies={shell.names(','.join(scope_of(login.role).names))}"
    )


def _audience(login: Login) -> str:
    """The audience of a role, as an argument; a role has one, and a login may have several."""
    return f" {shell.quote(f'audience={login.audiences[0]}')}" if login.audiences else ""


def lines(evidence: Evidence, login: Login) -> tuple[str, ...]:
    """The evidence of a login: Vault's response and the operator's last event."""
    reply = f"POST /v1/auth/{login.mount}/login: {login.status} {login.words}"
    event = _refused(evidence, login.about)
    return (reply, *([str(event)] if event is not None else []))
