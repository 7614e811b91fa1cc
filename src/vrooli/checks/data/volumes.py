"""What the volumes that are there can't become. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.checks.data.live import DUMP, NAME, Live
from vrooli.findings import Finding
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.operators.redis import volumes as redis
from vrooli.operators.volumes import Purpose, VolumeSpec

Body = Mapping[str, Any]

# The values that a volume's size and class come from.
VALUES = {
    Purpose.POSTGRES: "persistence.postgres",
    Purpose.WAL: "persistence.postgres",
    Purpose.REPOSITORY: "pgoPostgresql.backup",
    Purpose.REDIS: "persistence.redis",
}
EXPANSION = (
    "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
    "#expanding-persistent-volumes-claims"
)


def volume_specs(item: Manifest) -> Iterator[VolumeSpec]:
    """The volumes that an object asks for."""
    resource = databases().get(item.kind)
    return iter(()) if resource is None else resource.volume_specs(item.body)


def unchangeable(item: Manifest, live: Live) -> Iterator[Finding]:
    """The volumes that are to have another class or size than they can."""
    for spec in volume_specs(item):
        for claim in spec.claims(live.claims):
            if reason := _unchangeable(spec, claim, live.classes):
                yield _volume_finding(item, spec, claim, reason)


def is_grown(spec: VolumeSpec, live: Live) -> bool:
    """Whether any volume is to become larger than it is."""
    sizes = (volumes.storage_request(claim["spec"]) for claim in spec.claims(live.claims))
    return any(volumes.compare_sizes(size, spec.size) < 0 for size in sizes)


def _unchangeable(
    spec: VolumeSpec, claim: Body, classes: Mapping[str, Body] | None
) -> tuple[str, str] | None:
    """Which value asks for what a volume can't become, and why it can't; None when it can."""
    values, size = VALUES[spec.purpose], volumes.storage_request(claim["spec"])
    storage_class = str(claim["spec"].get("storageClassName") or "")
    if spec.storage_class and spec.storage_class != storage_class:
        return (
            f"{values}.storageClass asks for {spec.storage_class}",
            "a volume's class can't be changed",
        )
    difference = volumes.compare_sizes(size, spec.size)
    # With a limit PGO itself lets volumes grow beyond what is asked for.
    if difference > 0 and not spec.has_limit:
        return f"{values}.size asks for {spec.size}", "a volume can't become smaller"
    if difference < 0 and classes is not None:
        body = classes.get(storage_class) or {}
        if not body.get("allowVolumeExpansion"):
            reason = f"volumes of the class {storage_class} can't grow (allowVolumeExpansion)"
            return f"{values}.size asks for {spec.size}", reason
    return None


def _volume_finding(
    item: Manifest, spec: VolumeSpec, claim: Body, reason: tuple[str, str]
) -> Finding:
    request, why = reason
    name, size = claim["metadata"]["name"], volumes.storage_request(claim["spec"])
    storage_class = claim["spec"].get("storageClassName") or "no class"
    other = (
        _begin_anew(item)
        if spec.purpose is Purpose.REDIS
        else f"For other volumes, {DUMP}. Name a class that lets volumes grow then."
    )
    return Finding(
        NAME,
        f"{volumes.KIND}/{name}",
        f"it holds {spec.purpose} of {spec.owner} and has {size} ({storage_class}); {request}, and "
        f"{why}.",
        f"Set the value back to what the volume has. {other}",
        f"kubectl describe pvc/{name} -n {item.namespace}",
        EXPANSION,
    )


def redis_storage(item: Manifest, live: Live) -> Iterator[Finding]:
    """Redis' data stay on volumes, or stay off them."""
    body = live.get(item)
    if body is None:
        return
    now, then = redis.claim_template(body) is not None, redis.claim_template(item.body) is not None
    if now == then:
        return
    on, other = ("on volumes", "in an emptyDir") if now else ("in an emptyDir", "on volumes")
    yield Finding(
        NAME,
        item.key,
        f"its data are {on}, and persistence.redis.enabled: {str(then).lower()} wants them "
        f"{other}: the volumes of a StatefulSet can't be changed.",
        f"Set persistence.redis.enabled back to {str(now).lower()}. {_begin_anew(item)}",
        f"kubectl get statefulset/rfr-{item.name} -n {item.namespace} -o yaml",
    )


def _begin_anew(item: Manifest) -> str:
    """How Redis gets other volumes, in words with commands."""
    labels = ",".join(f"{key}={value}" for key, value in redis.claim_labels(item.name).items())
    return (
        "Otherwise Redis begins anew, without its data: "
        f"`kubectl delete redisfailover/{item.name} -n {item.namespace}`, then "
        f"`kubectl delete pvc -l {labels} -n {item.namespace}`, and deploy."
    )
