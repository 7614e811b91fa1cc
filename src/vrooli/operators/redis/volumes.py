"""The volumes of a RedisFailover. No I/O here.

Its claims are made from its StatefulSet's template and have the StatefulSet's selector as labels.
"""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.kube import common_labels
from vrooli.kube.objects import Body, mapping
from vrooli.operators.redis import names
from vrooli.operators.volumes import Purpose, VolumeSpec


def volume_specs(body: Body) -> Iterator[VolumeSpec]:
    """The volumes of its Redis pods; none if their data is in an emptyDir."""
    name = body["metadata"]["name"]
    if claim := claim_template(body):
        owner = f"{names.KIND}/{name}"
        yield VolumeSpec(owner, Purpose.REDIS, claim_labels(name), mapping(claim, "spec"))


def claim_template(body: Body) -> Body | None:
    """The claim template of a RedisFailover; None if its data is in an emptyDir."""
    return mapping(body, "spec", "redis", "storage").get("persistentVolumeClaim")


def claim_labels(name: str) -> dict[str, str]:
    """The labels of the claims of a RedisFailover, as the operator selects them."""
    return {
        names.COMPONENT_LABEL: names.REDIS,
        common_labels.NAME: name,
        common_labels.PART_OF: "redis-failover",
    }
