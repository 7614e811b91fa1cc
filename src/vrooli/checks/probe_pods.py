"""Probe pods in a temporary namespace, for checks that need one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from vrooli.checks import probe_objects
from vrooli.checks.interface import Site, UnavailableError
from vrooli.checks.probe_objects import ANSWERING, CLIENT_SCRIPT, HEADLESS, Recipe
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.kube import Kube, Manifest
from vrooli.kube.status import format_pod_problems

POD = ("v1", "Pod")
NAMESPACE = ("v1", "Namespace")
# How long a pod may take to run: its image is on a node already, or is pulled.
POD_S = 14.0
# How long a connection is retried, seconds: the server pod starts at the same time.
REQUEST_S = 8.0
# The timeout of the client pod, seconds.
REPLY_S = 17.0
# How long the cleanup may delay the result, seconds; it continues in the background.
CLEAN_S = 2.0
# The next check deletes a namespace that a killed check left behind after this time, seconds.
STALE_S = 300.0
# Permanent failures: waiting does not help.
PERMANENT = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def skip_reason(site: Site) -> str:
    """Why no probe pod can run."""
    if probe_objects.recipe(site.manifests) is None:
        return "the chart has no test pods with these values, whose image the check uses"
    return ""


@asynccontextmanager
async def scratch(site: Site) -> AsyncIterator[tuple[Kube, str, Recipe]]:
    """A temporary namespace for one check, always deleted at the end.

    Raises:
        UnavailableError: The checks may not create objects.
    """
    recipe = probe_objects.recipe(site.manifests)
    if not site.creates or recipe is None:
        raise UnavailableError("the check needs a pod, and --check-only creates none")
    name = f"{probe_objects.PREFIX}{secrets.token_hex(4)}"
    await site.shared.get("stale", lambda: _remove_stale(site.kube))
    await site.kube.create(probe_objects.namespace(name))
    try:
        await site.kube.create(probe_objects.account(), name)
        yield site.kube, name, recipe
    finally:
        cleaning = asyncio.ensure_future(_remove(site.kube, name))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLEAN_S):
                await asyncio.shield(cleaning)


async def _remove(kube: Kube, name: str) -> None:
    with contextlib.suppress(VrooliError):  # the next check retries
        await kube.delete(*NAMESPACE, name)


async def _remove_stale(kube: Kube) -> None:
    """Delete the namespaces of killed checks."""
    with contextlib.suppress(VrooliError):
        for item in await kube.list(*NAMESPACE, None, f"{probe_objects.LABEL}=check"):
            created_at = datetime.fromisoformat(item["metadata"]["creationTimestamp"])
            if (datetime.now(UTC) - created_at).total_seconds() > STALE_S:
                await _remove(kube, item["metadata"]["name"])


async def answers(site: Site, others: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    """The errors of connections from a pod, empty for a success; tested once for all checks.

    Args:
        site: The cluster.
        others: More targets, by name: host and port.
    """
    return await site.shared.get("network", lambda: _answers(site, others))


async def _answers(site: Site, others: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    async with scratch(site) as (kube, name, recipe):
        service = f"{ANSWERING}.{name}.svc"
        pod = ("pod", f"{HEADLESS}.{name}.svc", probe_objects.PORT)
        questions = [
            ("dns", "kubernetes.default.svc", 0),
            ("dns-service", service, 0),
            ("service", service, 80, pod),
            *((key, host, port) for key, (host, port) in others.items()),
        ]
        # Concurrently: the client starts together with the server.
        client = probe_objects.client_pod(recipe, questions, REQUEST_S)
        await asyncio.gather(
            *(kube.create(body, name) for body in (*probe_objects.server_objects(recipe), client))
        )
        await _succeeded(kube, name, CLIENT_SCRIPT, REPLY_S)
        lines = [line async for line in kube.logs(name, CLIENT_SCRIPT)]
    return dict(json.loads(lines[-1]))


async def writes(site: Site, storage_class: str) -> str:
    """Write to a volume of a class from a pod; return the volume's name."""
    label = storage_class or "default"
    async with scratch(site) as (kube, name, recipe):
        claim, pod = probe_objects.volume_objects(recipe, "volume", storage_class)
        await kube.create(claim, name)
        await kube.create(pod, name)
        try:
            await _succeeded(kube, name, "volume", POD_S)
        except WaitTimeoutError as error:
            why = await _why(kube, name)
            raise WaitTimeoutError(f"class {label}: {why}{error.message}") from error
        bound = await kube.get("v1", "PersistentVolumeClaim", "volume", name)
    return str((bound or {}).get("spec", {}).get("volumeName", ""))


async def _why(kube: Kube, namespace: str) -> str:
    """The last message of the claim's events."""
    events = await kube.list("v1", "Event", namespace)
    messages = [
        str(event.get("message", ""))
        for event in events
        if event.get("involvedObject", {}).get("kind") == "PersistentVolumeClaim"
    ]
    return f"{messages[-1]}; " if messages else ""


async def _succeeded(kube: Kube, namespace: str, name: str, limit_s: float) -> None:
    """Wait until a pod has succeeded.

    Raises:
        WaitTimeoutError: The timeout was reached.
        UnavailableError: The pod failed, or its image cannot be pulled.
    """

    def reason(pod: Manifest | None) -> str | None:
        status: dict[str, Any] = (pod or {}).get("status") or {}
        phase = status.get("phase", "nothing")
        if phase == "Succeeded":
            return None
        problems = format_pod_problems([pod]) if pod else []
        if phase == "Failed" or any(word in line for line in problems for word in PERMANENT):
            raise UnavailableError(f"the probe pod cannot run: {'; '.join(problems) or phase}")
        return "; ".join(problems) or f"it is {phase}"

    await kube.wait_for(*POD, name, namespace, reason, limit_s)
