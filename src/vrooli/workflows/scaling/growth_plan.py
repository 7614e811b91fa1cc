"""Which volumes of a release grow, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vrooli.checks.storage import classes as storage_classes
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube, quantities
from vrooli.kube.objects import Body, name, text
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.operators.volumes import Purpose
from vrooli.workflows.scaling.values_change import Deployed, value_at


class Data(StrEnum):
    """The data whose volumes can grow."""

    POSTGRES = "postgres"
    REDIS = "redis"
    BACKUPS = "backups"


@dataclass(frozen=True)
class Kind:
    """The values and the volumes of one kind of data.

    Attributes:
        path: The value with the size.
        enabled: The value that deploys the database.
        purpose: The purpose of its volumes.
    """

    path: str
    enabled: str
    purpose: Purpose


KINDS: Mapping[Data, Kind] = {
    Data.POSTGRES: Kind("persistence.postgres.size", "pgoPostgresql.enabled", Purpose.POSTGRES),
    Data.REDIS: Kind("persistence.redis.size", "spotahomeRedis.enabled", Purpose.REDIS),
    Data.BACKUPS: Kind("pgoPostgresql.backup.size", "pgoPostgresql.enabled", Purpose.REPOSITORY),
}


@dataclass(frozen=True)
class Growth:
    """What grows, and how.

    Attributes:
        data: The data.
        before: The size in the values.
        size: The new size.
        claims: The claims of its volumes.
        is_expandable: Whether their storage class can expand them.
        instances: How many volumes there are when nothing is being replaced.
    """

    data: Data
    before: str
    size: str
    claims: Sequence[Body]
    is_expandable: bool
    instances: int

    @property
    def smaller(self) -> list[str]:
        """The claims with a smaller volume."""
        return [name(claim) for claim in self.claims if is_smaller(size_of(claim), self.size)]

    @property
    def replaces(self) -> bool:
        """Whether volumes are replaced, or a replacement has not ended."""
        is_unfinished = bool(self.smaller) or len(self.claims) > self.instances
        return is_unfinished and not self.is_expandable


def demand_size(size: str) -> None:
    """Refuse a text that is not a size.

    Raises:
        UsageError: It is none.
    """
    try:
        if quantities.number(size) >= 1:
            return
    except ValueError:
        pass
    raise UsageError(f"{size!r} is not a size.", "Use a quantity of Kubernetes, such as 5Gi.")


async def plan(state: Deployed, data: Data, size: str) -> Growth:
    """What grows, and how.

    Raises:
        UsageError: The size is smaller than the present one.
        PrerequisiteError: The release has no such data, or its volumes can neither be expanded nor
            replaced.
    """
    kind, kube = KINDS[data], state.reached.kube
    if not value_at(state.values, kind.enabled):
        raise PrerequisiteError(
            f"{state.release} has no {data} in this cluster: {kind.enabled} is false."
        )
    before = str(value_at(state.values, kind.path))
    claims = await fetch_claims(kube, state, kind.purpose)
    for present in (before, *map(size_of, claims)):
        if is_smaller(size, present):
            raise UsageError(
                f"The volumes of {data} have {present}; {size} is smaller, and volumes cannot "
                "shrink.",
                f"Choose a size of at least {present}.",
            )
    instances = len(claims)
    if data is Data.POSTGRES:
        instances = int(value_at(state.values, "pgoPostgresql.instances"))
    planned = Growth(data, before, size, claims, await _is_expandable(kube, claims), instances)
    if planned.replaces:
        _demand_replaceable(planned)
    return planned


def _demand_replaceable(planned: Growth) -> None:
    """Refuse to replace volumes whose data no other pod has."""
    if planned.data is Data.POSTGRES or (planned.data is Data.REDIS and planned.instances > 1):
        return
    is_redis = planned.data is Data.REDIS
    names = sorted({text(claim, "spec", "storageClassName") for claim in planned.claims})
    reason = "its only pod has the data" if is_redis else "they cannot be replaced"
    raise PrerequisiteError(
        f"The volumes of {planned.data} cannot grow: storage class {', '.join(names)} does not "
        f"allow expansion (allowVolumeExpansion), and {reason}.",
        "Deploy Redis with two or more pods (spotahomeRedis.redis.replicas) first."
        if is_redis
        else "Use a storage class that allows expansion.",
    )


async def fetch_claims(kube: Kube, state: Deployed, purpose: Purpose) -> list[Body]:
    """The claims of the volumes with this purpose."""
    claims = await kube.list("v1", volumes.KIND, state.release.namespace)
    resources = databases()
    specs = [
        spec
        for item in state.record.manifests
        if item.kind in resources and not item.is_hook
        for spec in resources[item.kind].volume_specs(item.body)
        if spec.purpose is purpose
    ]
    return [claim for spec in specs for claim in spec.claims(claims)]


async def _is_expandable(kube: Kube, claims: Sequence[Body]) -> bool:
    """Whether the storage classes of all claims allow expansion."""
    for class_name in {text(claim, "spec", "storageClassName") for claim in claims}:
        body = await kube.get(*storage_classes.API, class_name) if class_name else None
        if body is None or not body.get("allowVolumeExpansion"):
            return False
    return True


def size_of(claim: Body) -> str:
    """The size of a claim's volume; the requested one until it is bound."""
    actual = text(claim, "status", "capacity", "storage")
    return actual or volumes.storage_request(claim["spec"])


def is_smaller(size: str, other: str) -> bool:
    """Whether a size is smaller than another."""
    return volumes.compare_sizes(size, other) < 0
