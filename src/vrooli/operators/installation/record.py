"""What this product installed, recorded in the annotations of an operator's namespace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.kube import Kube, Manifest, common_labels
from vrooli.kube.objects import labels, mapping, text

SOURCE = "vrooli.com/source"
VERSION = "vrooli.com/version"
INPUTS = "vrooli.com/inputs"
# The pod security standard that all pods of the charts and of the modules meet.
SECURITY = "restricted"


@dataclass(frozen=True)
class Record:
    """What this product installed in a namespace.

    Attributes:
        ours: Whether this product created the namespace.
        source: Where the operator came from; empty if its first installation did not finish.
        version: The operator's version; empty if its last installation did not finish.
        inputs: The hash of what it was installed from; the same.
    """

    ours: bool = False
    source: str = ""
    version: str = ""
    inputs: str = ""


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """A short hash of an operator's inputs."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


async def read(kube: Kube, namespace: str) -> Record:
    """The record of a namespace; an empty one if there is no such namespace."""
    body = await kube.get("v1", "Namespace", namespace) or {}
    annotations = mapping(body, "metadata", "annotations")
    return Record(
        ours=labels(body).get(common_labels.MANAGED_BY) == "vrooli",
        source=text(annotations, SOURCE),
        version=text(annotations, VERSION),
        inputs=text(annotations, INPUTS),
    )


async def write(kube: Kube, namespace: str, record: Record) -> None:
    """Create the namespace, or write the record of an existing one.

    Args:
        kube: The cluster.
        namespace: Its name.
        record: The record; fields that are empty mean that an installation has not finished.
    """
    annotations = {SOURCE: record.source, VERSION: record.version, INPUTS: record.inputs}
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {
                common_labels.MANAGED_BY: "vrooli",
                "pod-security.kubernetes.io/enforce": SECURITY,
            },
            "annotations": {key: value for key, value in annotations.items() if value},
        },
    }
    await kube.apply(manifest)
