"""The volumes that the database operators make of their resources. Pure readings, no I/O.

PGO labels the claims that it makes (internal/naming/labels.go); those of Redis are made from its
StatefulSet's template and carry that one's selector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vrooli.kube import quantities

Body = Mapping[str, Any]

PGO = "postgres-operator.crunchydata.com"
KIND = "PersistentVolumeClaim"


class Purpose(StrEnum):
    """What a volume holds."""

    POSTGRES = "PostgreSQL's data"
    WAL = "PostgreSQL's write-ahead log"
    REPOSITORY = "PostgreSQL's backups"
    REDIS = "Redis' data"


@dataclass(frozen=True)
class VolumeSpec:
    """The volumes that one claim specification of an operator's resource asks for.

    Attributes:
        owner: The resource's kind and name.
        purpose: What they hold.
        labels: The labels of the claims.
        spec: The specification.
    """

    owner: str
    purpose: Purpose
    labels: Mapping[str, str]
    spec: Body

    @property
    def size(self) -> str:
        """The size that is asked for; empty when none is."""
        return storage_request(self.spec)

    @property
    def storage_class(self) -> str:
        """The class that is named; empty for the cluster's default."""
        return str(self.spec.get("storageClassName") or "")

    def claims(self, claims: Iterable[Body]) -> list[Body]:
        """Those of a namespace's claims that are made of it and aren't being deleted."""
        return [
            claim
            for claim in claims
            if self.labels.items() <= (claim["metadata"].get("labels") or {}).items()
            and not claim["metadata"].get("deletionTimestamp")
        ]


def volume_specs(body: Body) -> Iterator[VolumeSpec]:
    """What an operator's resource asks for; nothing for other kinds."""
    if body.get("kind") == "PostgresCluster":
        yield from _postgres(body)
    elif body.get("kind") == "RedisFailover":
        yield from _redis(body)


def _postgres(body: Body) -> Iterator[VolumeSpec]:
    name, spec = body["metadata"]["name"], body["spec"]
    owner, cluster = f"PostgresCluster/{name}", {f"{PGO}/cluster": name}
    for number, instance in enumerate(spec.get("instances") or ()):
        labels = {**cluster, f"{PGO}/instance-set": instance_set(instance, number)}
        for field, role, purpose in (
            ("dataVolumeClaimSpec", "pgdata", Purpose.POSTGRES),
            ("walVolumeClaimSpec", "pgwal", Purpose.WAL),
        ):
            if claim := instance.get(field):
                yield VolumeSpec(owner, purpose, {**labels, f"{PGO}/role": role}, claim)
    backrest = (spec.get("backups") or {}).get("pgbackrest") or {}
    for repository in backrest.get("repos") or ():
        if claim := (repository.get("volume") or {}).get("volumeClaimSpec"):
            labels = {**cluster, f"{PGO}/pgbackrest-repo": str(repository["name"])}
            yield VolumeSpec(owner, Purpose.REPOSITORY, labels, claim)


def instance_set(instance: Body, number: int) -> str:
    """The name of a PostgresCluster's set of instances, as PGO completes it."""
    return str(instance.get("name") or f"{number:02d}")


def _redis(body: Body) -> Iterator[VolumeSpec]:
    name = body["metadata"]["name"]
    if claim := redis_claim(body):
        yield VolumeSpec(
            f"RedisFailover/{name}", Purpose.REDIS, redis_labels(name), claim.get("spec") or {}
        )


def redis_claim(body: Body) -> Body | None:
    """The claim template of a RedisFailover; None when its data are in an emptyDir."""
    storage = body["spec"]["redis"].get("storage") or {}
    claim: Body | None = storage.get("persistentVolumeClaim")
    return claim


def redis_labels(name: str) -> dict[str, str]:
    """The labels of the claims of a RedisFailover, as the operator itself selects them."""
    return {
        "app.kubernetes.io/component": "redis",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "redis-failover",
    }


def storage_request(spec: Body) -> str:
    """The size that a claim's specification asks for; empty when it asks for none."""
    requests = (spec.get("resources") or {}).get("requests") or {}
    return str(requests.get("storage") or "")


def compare_sizes(actual: str, desired: str) -> int:
    """Below zero when the actual size is smaller, above zero when it is larger, else zero.

    A size that isn't given, or isn't a quantity, equals any other.
    """
    try:
        difference = quantities.number(actual) - quantities.number(desired)
    except ValueError:
        return 0
    return (difference > 0) - (difference < 0)
