"""Pods of our own in a namespace of their own, for what nothing else shows; gone afterwards."""

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
# How long a question is asked again until it is answered, seconds: the other pod begins meanwhile.
REQUEST_S = 8.0
# How long the asking pod may take for all of it, seconds.
REPLY_S = 17.0
# How long taking things away may hold up the answer, seconds; the rest goes on by itself.
CLEAN_S = 2.0
# A namespace of a check that was killed is taken away by the next one after this long, seconds.
STALE_S = 300.0
# What can't be different: it is no use to wait on.
PERMANENT = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def skip_reason(site: Site) -> str:
    """Why no pod of our own can look."""
    if probe_objects.recipe(site.manifests) is None:
        return "the chart has no test pods with these values, whose image would be used"
    return ""


@asynccontextmanager
async def scratch(site: Site) -> AsyncIterator[tuple[Kube, str, Recipe]]:
    """A namespace for one check, deleted at the end whatever happens.

    Raises:
        UnavailableError: Nothing may be made.
    """
    recipe = probe_objects.recipe(site.manifests)
    if not site.creates or recipe is None:
        raise UnavailableError("it takes a pod of its own, and --check-only makes none")
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
    with contextlib.suppress(VrooliError):  # the next check tries again
        await kube.delete(*NAMESPACE, name)


async def _remove_stale(kube: Kube) -> None:
    """Take away what checks have left behind that were killed."""
    with contextlib.suppress(VrooliError):
        for item in await kube.list(*NAMESPACE, None, f"{probe_objects.LABEL}=check"):
            created_at = datetime.fromisoformat(item["metadata"]["creationTimestamp"])
            if (datetime.now(UTC) - created_at).total_seconds() > STALE_S:
                await _remove(kube, item["metadata"]["name"])


async def answers(site: Site, others: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    """What a pod reaches: empty texts where it does, else why not. Asked once for all checks.

    Args:
        site: The cluster.
        others: More to reach, by name: host and port.
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
        # All at once: whoever asks begins while whoever answers does.
        client = probe_objects.client_pod(recipe, questions, REQUEST_S)
        await asyncio.gather(
            *(kube.create(body, name) for body in (*probe_objects.server_objects(recipe), client))
        )
        await _succeeded(kube, name, CLIENT_SCRIPT, REPLY_S)
        lines = [line async for line in kube.logs(name, CLIENT_SCRIPT)]
    return dict(json.loads(lines[-1]))


async def writes(site: Site, storage_class: str) -> str:
    """Have a pod write to a volume of a class; gives the volume's name."""
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
    """What the events of a claim say."""
    events = await kube.list("v1", "Event", namespace)
    messages = [
        str(event.get("message", ""))
        for event in events
        if event.get("involvedObject", {}).get("kind") == "PersistentVolumeClaim"
    ]
    return f"{messages[-1]}; " if messages else ""


async def _succeeded(kube: Kube, namespace: str, name: str, limit_s: float) -> None:
    """Wait until a pod has done its work.

    Raises:
        WaitTimeoutError: It takes too long.
        UnavailableError: It can't be: its image can't be had.
    """

    def reason(pod: Manifest | None) -> str | None:
        status: dict[str, Any] = (pod or {}).get("status") or {}
        phase = status.get("phase", "nothing")
        if phase == "Succeeded":
            return None
        problems = format_pod_problems([pod]) if pod else []
        if phase == "Failed" or any(word in line for line in problems for word in PERMANENT):
            raise UnavailableError(
                f"the pod that would look can't run: {'; '.join(problems) or phase}"
            )
        return "; ".join(problems) or f"it is {phase}"

    await kube.wait_for(*POD, name, namespace, reason, limit_s)
