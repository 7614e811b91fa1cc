"""The volumes of a PostgresCluster; PGO labels the claims that it makes. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.kube.objects import Body, items, mapping, text
from vrooli.operators.pgo import names
from vrooli.operators.volumes import Purpose, VolumeSpec


def volume_specs(body: Body) -> Iterator[VolumeSpec]:
    """The volumes of its instances and of its pgBackRest repositories."""
    name = body["metadata"]["name"]
    owner, cluster = f"{names.KIND}/{name}", {names.CLUSTER_LABEL: name}
    for index, instance in enumerate(items(body, "spec", "instances")):
        labels = {**cluster, names.INSTANCE_SET_LABEL: instance_set(instance, index)}
        for field, role, purpose in (
            ("dataVolumeClaimSpec", "pgdata", Purpose.POSTGRES),
            ("walVolumeClaimSpec", "pgwal", Purpose.WAL),
        ):
            if claim := instance.get(field):
                yield VolumeSpec(owner, purpose, {**labels, names.ROLE_LABEL: role}, claim)
    for repository in items(body, "spec", "backups", "pgbackrest", "repos"):
        if claim := mapping(repository, "volume", "volumeClaimSpec"):
            labels = {**cluster, names.REPOSITORY_LABEL: text(repository, "name")}
            yield VolumeSpec(owner, Purpose.REPOSITORY, labels, claim)


def instance_set(instance: Body, index: int) -> str:
    """The name of a set of instances; PGO completes a missing one from its index."""
    return text(instance, "name") or f"{index:02d}"
