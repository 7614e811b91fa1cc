"""Custom resource definitions: read from files, applied server-side, established.

Server-side, since the largest (1 MB) does not fit into the annotation that `kubectl apply` writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import yaml

from vrooli.events import Progress
from vrooli.kube import Kube, Manifest

# Timeout for the API server to serve a new kind, seconds.
ESTABLISHED_S = 30.0
# libyaml's loader reads 1 MB in half a second, Python's own is ten times slower.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(text: str) -> list[Manifest]:
    """The objects of a YAML text."""
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document]


async def read(files: Iterable[Path]) -> list[Manifest]:
    """The objects of some YAML files, read outside the event loop."""
    manifests = []
    for file in files:
        manifests += await asyncio.to_thread(_read, file)
    return manifests


def _read(file: Path) -> list[Manifest]:
    return documents(file.read_text())


async def apply(kube: Kube, crds: Iterable[Manifest], progress: Progress) -> None:
    """Apply definitions and wait until the API server serves their kinds."""
    names = []
    for crd in crds:
        names.append(crd["metadata"]["name"])
        progress.report(f"applies {names[-1]}")
        await kube.apply(_without_generated(crd))
    for name in names:
        await kube.wait_for(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            name,
            None,
            _unestablished_reason,
            ESTABLISHED_S,
        )


def _without_generated(crd: Manifest) -> Manifest:
    """A definition without the fields that its generator adds and the API server owns."""
    metadata = {key: value for key, value in crd["metadata"].items() if key != "creationTimestamp"}
    return {**{key: value for key, value in crd.items() if key != "status"}, "metadata": metadata}


def _unestablished_reason(crd: Manifest | None) -> str | None:
    if crd is None:
        return "it does not exist"
    conditions = crd.get("status", {}).get("conditions") or []
    served = any(item["type"] == "Established" and item["status"] == "True" for item in conditions)
    return None if served else "the API server does not serve it yet"
