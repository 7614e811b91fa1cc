"""Look at everything once, all at the same time; what can't be seen is noted and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import yaml

from vrooli.chart.manifest import Manifest
from vrooli.diagnosis import happenings, helmnotes, logs, secrets
from vrooli.diagnosis.evidence import Evidence, Helm, SecretFacts, Unseen
from vrooli.diagnosis.helmnotes import Note
from vrooli.diagnosis.looking import Looking, grouped
from vrooli.diagnosis.objects import Body, Ref, mapping
from vrooli.diagnosis.probes import PROBES
from vrooli.kube import ApiError, Kube
from vrooli.redaction import Redactor
from vrooli.release import Release

Kind = tuple[str, str]

PGO, REDIS = "postgres-operator.crunchydata.com/v1beta1", "databases.spotahome.com/v1"
VSO = "secrets.hashicorp.com/v1beta1"
# What belongs to the cluster as a whole.
OF_CLUSTER: Sequence[Kind] = (
    ("v1", "Node"),
    ("v1", "Namespace"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("apiregistration.k8s.io/v1", "APIService"),
)
# What the operators read, in every namespace: two releases may get in each other's way.
OF_OPERATORS: Sequence[Kind] = (
    (PGO, "PostgresCluster"),
    (REDIS, "RedisFailover"),
    (VSO, "VaultConnection"),
    (VSO, "VaultAuth"),
    (VSO, "VaultStaticSecret"),
)
OF_RELEASE: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("coordination.k8s.io/v1", "Lease"),
)
# Where the operators, Vault and the cluster's own helpers run, and what is looked at there.
BELOW = (
    "postgres-operator",
    "redis-operator",
    "vault-secrets-operator-system",
    "vault",
    "kube-system",
)
OF_BELOW: Sequence[Kind] = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
)

# How long Secrets may take, seconds: what isn't known to be secret isn't masked.
SECRETS_S = 20.0


@dataclass
class _Look(Looking):
    """What has been seen so far."""

    kube: Kube = field(kw_only=True)
    release: Release = field(kw_only=True)
    objects: dict[str, list[Body]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    happened: list[Body] = field(default_factory=list)
    facts: dict[Ref, SecretFacts] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)

    async def kind(self, kind: Kind, namespace: str | None) -> None:
        """Note a kind's objects; a kind that the cluster doesn't have has none."""
        where = f" in {namespace}" if namespace else ""
        found = await self.at(f"{kind[1]}{where}", self._pages(kind, namespace), None)
        if found is not None:
            self.objects.setdefault(kind[1], []).extend(found)

    async def _pages(self, kind: Kind, namespace: str | None) -> list[Body] | None:
        found: list[Body] = []
        try:
            async for page in self.kube.pages(*kind, namespace):
                found += [kept for item in page if (kept := _kept(item)) is not None]
        except ApiError as error:
            if error.status == 404:  # noqa: PLR2004 - HTTP's "not found"
                return None
            raise
        return found

    async def events(self, namespace: str) -> None:
        """Note a namespace's events."""
        found = await self.at(
            f"events in {namespace}", self.kube.list("v1", "Event", namespace), []
        )
        self.happened += found

    async def secrets(self, namespace: str) -> None:
        """Note what Secrets there are, and their values only to keep them out of sight."""
        doing = self.kube.list("v1", "Secret", namespace)
        found = await self.at(f"Secret in {namespace}", doing, None, SECRETS_S)
        if found is None:
            return
        self.objects.setdefault("Secret", [])
        if namespace == self.release.namespace:
            self.notes += helmnotes.notes(found, self.release.name)
        for item in found:
            if _kept(item) is None:
                continue
            seen = secrets.read(item)
            self.values += seen.values
            self.facts[seen.ref] = seen.facts
            self.objects.setdefault("Secret", []).append(seen.body)

    def wanted(self) -> tuple[Manifest, ...]:
        """The objects of the newest revision, as Helm noted them."""
        try:
            return self.notes[-1].objects(self.release.namespace) if self.notes else ()
        except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            self.unseen.append(Unseen(f"Helm's note of {self.release.name}", str(error)))
            return ()


@dataclass(frozen=True)
class Collected:
    """A look at a release.

    Attributes:
        evidence: What was seen.
        redactor: Keeps what is secret in it out of what is said.
        notes: Helm's notes of its revisions, the oldest first.
    """

    evidence: Evidence
    redactor: Redactor
    notes: tuple[Note, ...] = ()


async def collect(kube: Kube, release: Release) -> tuple[Evidence, Redactor]:
    """Everything that rules read about a release, and what keeps secrets out of what they say."""
    found = await look(kube, release)
    return found.evidence, found.redactor


async def look(kube: Kube, release: Release) -> Collected:
    """The same with Helm's notes of earlier revisions."""
    look, home = _Look(kube=kube, release=release), release.namespace
    async with asyncio.TaskGroup() as group:
        for kind in (*OF_CLUSTER, *OF_OPERATORS):
            group.create_task(look.kind(kind, None))
        for namespace in (home, *BELOW):
            kinds = OF_RELEASE if namespace == home else OF_BELOW
            for kind in kinds:
                group.create_task(look.kind(kind, namespace))
            group.create_task(look.events(namespace))
            group.create_task(look.secrets(namespace))
    last = look.notes[-1] if look.notes else None
    first = Evidence(
        release=release.name,
        namespace=home,
        now=datetime.now(UTC),
        objects=look.objects,
        events=happenings.read(look.happened),
        wanted=look.wanted(),
        helm=last.helm if last else Helm(),
        secrets=look.facts,
    )
    evidence = await _ask(look, first)
    return Collected(evidence, Redactor(look.values), tuple(look.notes))


async def _ask(look: _Look, seen: Evidence) -> Evidence:
    """What must be asked once it is known whom: logs, and the probes' questions."""
    async with asyncio.TaskGroup() as group:
        lines = group.create_task(logs.read(look.kube, seen))
        asked = [
            group.create_task(look.at(f"probe {name}", probe(look.kube, seen), []))
            for name, probe in PROBES.items()
        ]
    read, unread = lines.result()
    return replace(
        seen,
        logs=read,
        answers=tuple(answer for task in asked for answer in task.result()),
        unseen=tuple(grouped([*look.unseen, *unread])),
    )


def _kept(item: Body) -> Body | None:
    """An object without what nobody reads; None where it has not even a name."""
    metadata = mapping(item, "metadata")
    if not isinstance(metadata.get("name"), str):
        return None
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    return {**item, "metadata": kept}
