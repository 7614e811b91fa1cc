"""The images that PGO runs: those that it has, and those that a PostgresCluster needs. No I/O here.

PGO takes an image from the resource, else from its own environment. If there is neither, it emits
the event `MissingRequiredImage` and reconciles nothing (internal/config/config.go).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from vrooli.kube.objects import Body, items, mapping, number, ref_of, text
from vrooli.operators import versions

VARIABLE = "RELATED_IMAGE_"
EVENT = "MissingRequiredImage"
BACKUP, POOL, EXPORTER, POSTGRES = "PGBACKREST", "PGBOUNCER", "PGEXPORTER", "POSTGRES_"
# The chart's value that names each image, by PGO's name of it.
VALUES = {
    BACKUP: "pgoPostgresql.backup.image",
    POOL: "pgoPostgresql.pgBouncer.image",
    EXPORTER: "pgoPostgresql.monitoring.image",
}
POSTGRES_VALUE = "pgoPostgresql.image"
_MAJOR = re.compile(rf"{POSTGRES}(\d+)")


def offered_images(deployment: Body) -> frozenset[str]:
    """The images that an operator has, as its environment names them: PGBACKREST, POSTGRES_17."""
    return frozenset(
        name.removeprefix(VARIABLE)
        for container in items(deployment, "spec", "template", "spec", "containers")
        for variable in items(container, "env")
        if (name := text(variable, "name")).startswith(VARIABLE)
        and (variable.get("value") or variable.get("valueFrom"))
    )


def postgres_versions(offered: Collection[str]) -> list[int]:
    """The major versions among an operator's images, ascending."""
    return sorted(int(match[1]) for name in offered if (match := _MAJOR.fullmatch(name)))


def postgres_image(version: int) -> str:
    """PGO's name of the image of a major version."""
    return f"{POSTGRES}{version}"


def title(image: str) -> str:
    """What an image is for people: `PostgreSQL 17`, or PGO's name of another part."""
    match = _MAJOR.fullmatch(image)
    return f"PostgreSQL {match[1]}" if match else image


def required_images(cluster: Body) -> Iterator[str]:
    """The images that a PostgresCluster needs from its operator, because it names none itself."""
    spec = mapping(cluster, "spec")
    if not text(spec, "image"):
        yield postgres_image(number(spec, "postgresVersion"))
    if not text(spec, "backups", "pgbackrest", "image"):
        yield BACKUP
    pool, monitoring = mapping(spec, "proxy"), mapping(spec, "monitoring", "pgmonitor")
    if "pgBouncer" in pool and not text(pool, "pgBouncer", "image"):
        yield POOL
    if "exporter" in monitoring and not text(monitoring, "exporter", "image"):
        yield EXPORTER


def missing_images(cluster: Body, offered: Collection[str]) -> list[str]:
    """The images that a PostgresCluster needs and that neither it nor its operator names."""
    return [name for name in required_images(cluster) if name not in offered]


def select_version(requested: int, offered: Collection[str]) -> int:
    """The major version to run: the requested one, or the newest of an operator without it.

    An operator of which no version is known is trusted to have the requested one.
    """
    versions = postgres_versions(offered)
    return requested if not versions or requested in versions else versions[-1]


def unsupported_clusters(version: str, clusters: Iterable[Body]) -> Iterator[str]:
    """The PostgresClusters whose version of PostgreSQL a version of PGO cannot run.

    Args:
        version: The version of PGO; one that is not known is not judged.
        clusters: The objects.
    """
    entry = versions.find(versions.POSTGRES, version)
    if entry is None:
        return
    majors = " and ".join(map(str, entry.postgres))
    for body in clusters:
        major, ref = number(body, "spec", "postgresVersion"), ref_of(body)
        has_image = bool(text(body, "spec", "image")) or major in entry.postgres
        if not has_image or major > entry.newest_postgres:
            yield (
                f"{ref.kind}/{ref.name} in namespace {ref.namespace} runs PostgreSQL {major}, and "
                f"{entry.title} has images of {majors}"
            )
