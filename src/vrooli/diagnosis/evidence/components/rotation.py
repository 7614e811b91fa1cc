"""The rotator of a release: which Secrets it publishes from which, and how far it is. No I/O here.

It publishes a synced Secret after the databases accept its password, so that pods and operators
read the published Secret and not the synced one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube import common_labels
from vrooli.kube.objects import Body, Ref, containers, items, labels, mapping, ref_of, text

NAME = "rotator"
# The key with the password in the Secrets of each database, by the prefix of the settings.
KEYS: Mapping[str, str] = {"POSTGRES": "DB_PASSWORD", "REDIS": "password"}
# The key in the rotator's state Secret while Redis accepts two passwords.
UNFINISHED = "redis.previous"
# The key with a role's password in its Secret of PGO.
ROLE_KEY = "password"
TITLES = {"POSTGRES": "PostgreSQL", "REDIS": "Redis"}


@dataclass(frozen=True)
class Publication:
    """One Secret that the rotator publishes.

    Attributes:
        rotator: The Deployment.
        database: PostgreSQL or Redis, the prefix of its events.
        source: The Secret that the Vault Secrets Operator syncs.
        published: The Secret that pods and operators read.
        state: The rotator's own Secret.
        key: The key with the password.
        roles: The Secrets with the passwords of PostgreSQL's login roles.
    """

    rotator: Ref
    database: str
    source: Ref
    published: Ref
    state: Ref
    key: str
    roles: tuple[Ref, ...] = ()


def publications(evidence: Evidence) -> list[Publication]:
    """The publications of the release's rotator."""
    return [item for body in _deployments(evidence) for item in _of(evidence, body)]


def _deployments(evidence: Evidence) -> Iterator[Body]:
    """The rotator's Deployment: as it is, otherwise as Helm recorded it."""
    existing = [
        body
        for body in evidence.all("Deployment")
        if labels(body).get(common_labels.COMPONENT) == NAME
    ]
    deployed = (item.body for item in evidence.manifests if item.kind == "Deployment")
    yield from existing or [
        body for body in deployed if labels(body).get(common_labels.COMPONENT) == NAME
    ]


def _of(evidence: Evidence, body: Body) -> Iterator[Publication]:
    place = evidence.namespace
    named = {
        text(item, "name"): text(item, "value")
        for container in containers(mapping(body, "spec", "template"))
        for item in items(container, "env")
    }
    for prefix, key in KEYS.items():
        source, published = named.get(f"{prefix}_SOURCE"), named.get(f"{prefix}_SECRET")
        if source and published:
            yield Publication(
                rotator=Ref("Deployment", ref_of(body).name, place),
                database=TITLES[prefix],
                source=Ref("Secret", source, place),
                published=Ref("Secret", published, place),
                state=Ref("Secret", named.get("STATE_SECRET", ""), place),
                key=key,
                roles=tuple(_roles(named, place)) if prefix == "POSTGRES" else (),
            )


def _roles(named: Mapping[str, str], place: str) -> Iterator[Ref]:
    cluster, user = named.get("POSTGRES_CLUSTER", ""), named.get("POSTGRES_USER", "")
    for role in (user, f"{user}-alternate"):
        yield Ref("Secret", f"{cluster}-pguser-{role}", place)


def publication(evidence: Evidence, published: Ref) -> Publication | None:
    """The publication of a Secret; None if the rotator does not publish it."""
    return next((item for item in publications(evidence) if item.published == published), None)


def read_from(evidence: Evidence, filled: Ref) -> Ref:
    """The Secret that pods read instead of a synced one."""
    return next((i.published for i in publications(evidence) if i.source == filled), filled)


def filler(evidence: Evidence, secret: Ref) -> Body | None:
    """The VaultStaticSecret of a Secret, directly or through the rotator."""
    entry = publication(evidence, secret)
    filled = entry.source if entry is not None else secret
    return next(
        (
            item
            for item in evidence.all("VaultStaticSecret", secret.namespace)
            if text(item, "spec", "destination", "name") == filled.name
        ),
        None,
    )


def pending(evidence: Evidence, item: Publication) -> str:
    """The pending step of a rotation; empty if there is none."""
    if not evidence.is_readable("Secret"):
        return ""
    if evidence.get(item.published) is None:
        return f"the Secret {item.published.name} does not exist yet"
    return _unpublished(evidence, item) or _unfinished(evidence, item)


def _unpublished(evidence: Evidence, item: Publication) -> str:
    filled = evidence.secrets.get(item.source)
    if filled is None:
        return ""
    if not filled.lengths.get(item.key):
        return f"the Secret {item.source.name} has no value for {item.key}"
    if _mark(evidence, item.source, item.key) != _mark(evidence, item.published, item.key):
        return f"the Secret {item.published.name} still has the previous password"
    return ""


def _unfinished(evidence: Evidence, item: Publication) -> str:
    """The pending step if a database still accepts the previous password."""
    published = _mark(evidence, item.published, item.key)
    roles = {_mark(evidence, ref, ROLE_KEY) for ref in item.roles} - {""}
    state = evidence.secrets.get(item.state)
    keys = state.lengths if state is not None and item.database == TITLES["REDIS"] else {}
    if (published and roles - {published}) or UNFINISHED in keys:
        return f"{item.database} still accepts the previous password"
    return ""


def _mark(evidence: Evidence, ref: Ref, key: str) -> str:
    facts = evidence.secrets.get(ref)
    return facts.marks.get(key, "") if facts is not None else ""
