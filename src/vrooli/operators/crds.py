"""Custom resource definitions: read from files, applied server-side, waited for.

Server-side, since the largest (1 MB) doesn't fit into the annotation that `kubectl apply` writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import yaml

from vrooli.events import Progress
from vrooli.kube import Kube, Manifest

# How long the API server may take to serve a new kind, seconds.
ESTABLISHED_S = 30.0
# libyaml's loader reads 1 MB in half a second, Python's own takes ten times that.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(text: str) -> list[Manifest]:
    """The objects of a YAML text."""
    return [found for found in yaml.load_all(text, Loader=_LOADER) if found]


async def read(files: Iterable[Path]) -> list[Manifest]:
    """The objects of some YAML files, read beside the event loop."""
    found = []
    for file in files:
        found += await asyncio.to_thread(_read, file)
    return found


def _read(file: Path) -> list[Manifest]:
    return documents(file.read_text())


async def apply(kube: Kube, crds: Iterable[Manifest], progress: Progress) -> None:
    """Apply definitions and wait until the API server serves their kinds."""
    names = []
    for crd in crds:
        names.append(crd["metadata"]["name"])
        progress.report(f"applies {names[-1]}")
        await kube.apply(_wanted(crd))
    for name in names:
        await kube.wait_for(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            name,
            None,
            _established_lack,
            ESTABLISHED_S,
        )


def _wanted(crd: Manifest) -> Manifest:
    """A definition without what its generator left in, which isn't ours to set."""
    metadata = {key: value for key, value in crd["metadata"].items() if key != "creationTimestamp"}
    return {**{key: value for key, value in crd.items() if key != "status"}, "metadata": metadata}


def _established_lack(crd: Manifest | None) -> str | None:
    if crd is None:
        return "it doesn't exist"
    conditions = crd.get("status", {}).get("conditions") or []
    served = any(item["type"] == "Established" and item["status"] == "True" for item in conditions)
    return None if served else "the API server doesn't serve it yet"
