"""The changes that existing volumes do not support. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.data.live import DUMP, NAME, Live
from vrooli.findings import Finding
from vrooli.kube.objects import label_selector
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.operators.redis import volumes as redis
from vrooli.operators.volumes import Purpose, VolumeSpec

Body = Mapping[str, Any]

# The values that set the size and class of a volume.
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
    """The volumes that an object requests."""
    resource = databases().get(item.kind)
    return iter(()) if resource is None else resource.volume_specs(item.body)


def unchangeable(item: Manifest, live: Live) -> Iterator[Finding]:
    """The volumes whose requested class or size is not supported.

    The existing resource may request the size already, while its volumes are replaced: `grow`
    continues, and a deploy changes nothing.
    """
    body, resource = live.get(item), databases().get(item.kind)
    present = list(resource.volume_specs(body)) if resource and body else []
    for spec in volume_specs(item):
        is_growing = (spec.purpose, spec.size) in {(other.purpose, other.size) for other in present}
        for claim in spec.claims(live.claims):
            reason = _unchangeable(spec, claim, live.classes, is_growing=is_growing)
            if reason:
                yield _volume_finding(item, spec, claim, reason)


def is_grown(spec: VolumeSpec, live: Live) -> bool:
    """Whether the values request a larger size for any volume."""
    sizes = (volumes.storage_request(claim["spec"]) for claim in spec.claims(live.claims))
    return any(volumes.compare_sizes(size, spec.size) < 0 for size in sizes)


def _unchangeable(
    spec: VolumeSpec, claim: Body, classes: Mapping[str, Body] | None, *, is_growing: bool
) -> tuple[str, str] | None:
    """The value with an unsupported change and the reason; None if the change is supported."""
    values, size = VALUES[spec.purpose], volumes.storage_request(claim["spec"])
    storage_class = str(claim["spec"].get("storageClassName") or "")
    if spec.storage_class and spec.storage_class != storage_class:
        return (
            f"{values}.storageClass is {spec.storage_class}",
            "the class of a volume is immutable",
        )
    difference = volumes.compare_sizes(size, spec.size)
    # With a limit PGO itself expands volumes beyond the requested size.
    if difference > 0 and not spec.has_limit:
        return f"{values}.size is {spec.size}", "a volume cannot shrink"
    if difference < 0 and classes is not None and not is_growing:
        body = classes.get(storage_class) or {}
        if not body.get("allowVolumeExpansion"):
            reason = f"the class {storage_class} does not allow expansion (allowVolumeExpansion)"
            return f"{values}.size is {spec.size}", reason
    return None


def _volume_finding(
    item: Manifest, spec: VolumeSpec, claim: Body, reason: tuple[str, str]
) -> Finding:
    request, why = reason
    name, size = claim["metadata"]["name"], volumes.storage_request(claim["spec"])
    storage_class = claim["spec"].get("storageClassName") or "no class"
    other = (
        _recreation_advice(item)
        if spec.purpose is Purpose.REDIS
        else f"To use different volumes, {DUMP}. In that case use a class that allows volume "
        "expansion."
    )
    return Finding(
        NAME,
        f"{volumes.KIND}/{name}",
        f"it stores {spec.purpose} of {spec.owner} and has {size} ({storage_class}); {request}, "
        f"but {why}.",
        f"Set the value back to that of the volume. {other}",
        f"kubectl describe pvc/{shell.name(name)} -n {shell.label(item.namespace)}",
        EXPANSION,
    )


def redis_storage(item: Manifest, live: Live) -> Iterator[Finding]:
    """The finding if Redis' data would move to or from volumes."""
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
        f"its data is {on}, but persistence.redis.enabled: {str(then).lower()} requires it "
        f"{other}: the volumes of a StatefulSet are immutable.",
        f"Set persistence.redis.enabled back to {str(now).lower()}. {_recreation_advice(item)}",
        f"kubectl get statefulset/rfr-{shell.name(item.name)} -n {shell.label(item.namespace)} "
        "-o yaml",
    )


def _recreation_advice(item: Manifest) -> str:
    """How to recreate Redis with different volumes, with the commands."""
    labels = label_selector(redis.claim_labels(item.name))
    return (
        "Or recreate Redis without its data: `kubectl delete "
        f"redisfailover/{shell.name(item.name)} -n "
        f"{shell.label(item.namespace)}`, then `kubectl delete pvc -l {shell.selector(labels)} "
        f"-n {shell.label(item.namespace)}`, and deploy."
    )
