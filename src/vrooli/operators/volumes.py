"""The volumes that operators make for their resources: sizes, classes, claims. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from vrooli.kube import quantities
from vrooli.kube.objects import Body, is_deleted, labels, text

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
        """The requested size; empty if none is requested."""
        return storage_request(self.spec)

    @property
    def storage_class(self) -> str:
        """The requested storage class; empty for the cluster's default."""
        return text(self.spec, "storageClassName")

    @property
    def has_limit(self) -> bool:
        """Whether it has a limit up to which the operator itself grows the volumes."""
        return bool(text(self.spec, "resources", "limits", "storage"))

    def claims(self, claims: Iterable[Body]) -> list[Body]:
        """Those of a namespace's claims that are made from it and are not being deleted."""
        return [
            claim
            for claim in claims
            if self.labels.items() <= labels(claim).items() and not is_deleted(claim)
        ]


def storage_request(spec: Body) -> str:
    """The size that a claim's specification requests; empty if it requests none."""
    return text(spec, "resources", "requests", "storage")


def compare_sizes(actual: str, desired: str) -> int:
    """Below zero if the actual size is smaller, above zero if it is larger, else zero.

    A size that is empty, or is not a quantity, equals any other.
    """
    try:
        difference = quantities.number(actual) - quantities.number(desired)
    except ValueError:
        return 0
    return (difference > 0) - (difference < 0)
