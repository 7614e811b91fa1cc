"""The definitions of the Gateway API, from its Go module: Traefik serves its HTTPRoutes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import yaml

from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.kube.status import has_condition

MODULE = "gateway-api"
# The channel without experimental kinds; Traefik needs no other.
FILES = "config/crd/standard/*.yaml"
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
# Timeout for the API server to serve a new kind, seconds.
ESTABLISHED_S = 30.0
# libyaml's loader is ten times faster than Python's own.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


async def definitions(progress: Progress) -> list[Manifest]:
    """The definitions, without the status that their generator adds.

    Raises:
        PrerequisiteError: The module is not in the cache and cannot be downloaded.
    """
    folder = await programs.module_dir(MODULE, progress)
    return await asyncio.to_thread(_read, folder)


def _read(folder: Path) -> list[Manifest]:
    return [
        {key: body[key] for key in body if key != "status"}
        for file in sorted(folder.glob(FILES))
        for body in yaml.load_all(file.read_text(), Loader=_LOADER)
    ]


async def apply(kube: Kube, progress: Progress) -> None:
    """Apply the definitions and wait until the API server serves their kinds."""
    bodies = await definitions(progress)
    async with asyncio.TaskGroup() as tasks:
        for body in bodies:
            tasks.create_task(_apply_one(kube, body))


async def _apply_one(kube: Kube, body: Manifest) -> None:
    await kube.apply(body)
    name = body["metadata"]["name"]
    await kube.wait_for(*DEFINITION, name, None, _unserved_reason, ESTABLISHED_S)


def _unserved_reason(body: Manifest | None) -> str | None:
    return None if has_condition(body, "Established") else "the API server does not serve it yet"
