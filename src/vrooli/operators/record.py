"""What is noted in the cluster about an operator: on its namespace, readable by anyone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.kube import Kube, Manifest

MANAGED_BY = "app.kubernetes.io/managed-by"
SOURCE = "vrooli.com/source"
VERSION = "vrooli.com/version"
INPUTS = "vrooli.com/inputs"


@dataclass(frozen=True)
class Record:
    """What this product did in a namespace before.

    Attributes:
        ours: Whether it was made by this product at all.
        source: Where the operator came from; empty when an installation didn't end.
        version: The operator's version.
        inputs: The hash of what it was installed from.
    """

    ours: bool = False
    source: str = ""
    version: str = ""
    inputs: str = ""


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """A short hash of an operator's inputs."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


async def read(kube: Kube, namespace: str) -> Record:
    """What is noted on a namespace."""
    found = await kube.get("v1", "Namespace", namespace)
    if found is None:
        return Record()
    metadata = found["metadata"]
    notes = metadata.get("annotations", {})
    return Record(
        ours=metadata.get("labels", {}).get(MANAGED_BY) == "vrooli",
        source=notes.get(SOURCE, ""),
        version=notes.get(VERSION, ""),
        inputs=notes.get(INPUTS, ""),
    )


async def write(kube: Kube, namespace: str, record: Record, security: str) -> None:
    """Make the namespace, or note what was installed in it.

    Args:
        kube: The cluster.
        namespace: Its name.
        record: What to note; empty fields are noted as nothing, which reads as unfinished.
        security: The pod security standard that it enforces.
    """
    notes = {SOURCE: record.source, VERSION: record.version, INPUTS: record.inputs}
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {MANAGED_BY: "vrooli", "pod-security.kubernetes.io/enforce": security},
            "annotations": {key: value for key, value in notes.items() if value},
        },
    }
    await kube.apply(manifest)
