"""The add-ons of every cluster: DNS, storage, ingress and metrics.

The manifests are in manifests/; ``$${name}`` in them is replaced by one of ``variables``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

import yaml

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.components import gateway_api
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import (
    CLUSTER_DOMAIN,
    DNS_SERVICE_IP,
    HTTP_PORT_INSIDE,
    HTTPS_PORT_INSIDE,
    Record,
)
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.files import write_atomically
from vrooli.kube import Kube, Manifest
from vrooli.kube.status import is_pod_ready, workload_status
from vrooli.programs.versions import GATEWAY_API
from vrooli.steps import first_error

MANIFESTS = Path(__file__).with_name("manifests")
NAMESPACE = "kube-system"
# Required before a release is deployed; metrics may become ready later.
REQUIRED = ("coredns", "local-path-provisioner", "traefik")
READY_S = 120.0
# Regenerated at each start, so excluded from the digest.
REGENERATED = ("metrics_certificate", "metrics_key")


def variables(layout: Layout, record: Record) -> dict[str, str]:
    """The values of the manifests' variables; they contain a private key."""

    def encoded(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    return {
        **record.images,
        "gateway_api": GATEWAY_API,
        "domain": CLUSTER_DOMAIN,
        "dns_ip": DNS_SERVICE_IP,
        "http_port": str(HTTP_PORT_INSIDE),
        "https_port": str(HTTPS_PORT_INSIDE),
        "storage": str(record.volumes_path(layout)),
        "authority": encoded("ca.crt"),
        "metrics_certificate": encoded("metrics-server.crt"),
        "metrics_key": encoded("metrics-server.key"),
    }


def manifests(values: Mapping[str, str]) -> list[Manifest]:
    """Every object of every add-on, in the order in which they may be applied."""
    objects: list[Manifest] = []
    for file in sorted(MANIFESTS.glob("*.yaml")):
        objects += yaml.safe_load_all(Template(file.read_text()).substitute(values))
    return objects


def digest(values: Mapping[str, str]) -> str:
    """The digest of a set of add-ons."""
    stable = {**values, **dict.fromkeys(REGENERATED, "")}
    return hashlib.sha256(json.dumps(manifests(stable)).encode()).hexdigest()


async def apply(layout: Layout, record: Record, loaded: asyncio.Event) -> None:
    """Apply the add-ons; those with pods come last.

    Args:
        layout: The cluster's paths.
        record: The cluster's saved settings.
        loaded: Set once the images are loaded: a pod that starts earlier has a long delay before
            its next attempt.
    """
    values = variables(layout, record)
    objects = manifests(values)
    async with await Kube.connect(layout.kubeconfig) as kube:
        try:
            await gateway_api.apply(kube, Progress())
        except* VrooliError as errors:
            raise first_error(errors) from errors
        await _apply_all(kube, [item for item in objects if item["kind"] != "Deployment"])
        await loaded.wait()
        await _apply_all(kube, [item for item in objects if item["kind"] == "Deployment"])
    write_atomically(_applied(layout), digest(values))


async def _apply_all(kube: Kube, objects: Iterable[Manifest]) -> None:
    """Apply independent objects concurrently."""
    try:
        async with asyncio.TaskGroup() as group:
            for manifest in objects:
                group.create_task(kube.apply(manifest))
    except* VrooliError as errors:
        raise first_error(errors) from errors


async def wait(layout: Layout, record: Record, progress: Progress) -> None:
    """Wait until the required add-ons are ready.

    Raises:
        WaitTimeoutError: An add-on did not become ready.
    """
    api, last = Api(layout, record), ""

    async def is_ready() -> bool:
        nonlocal last
        missing = await missing_addons(api)
        if missing and missing[0] != last:
            last = missing[0]
            progress.report(last)
        return not missing

    if not await poll_until(is_ready, READY_S):
        raise WaitTimeoutError(
            f"The cluster's add-ons are not ready after {READY_S:.0f} s: {last}",
            f"Inspect them: `kubectl --kubeconfig {layout.kubeconfig} describe pods "
            f"--namespace {NAMESPACE}`.",
        )


async def missing_addons(api: Api) -> list[str]:
    """Why required add-ons are not ready, as text."""
    deployments = await api.read(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments")
    pods = await api.read(f"/api/v1/namespaces/{NAMESPACE}/pods")
    by_name = {item["metadata"]["name"]: item for item in deployments.get("items", ())}
    reasons = [
        not_ready_reason(name, by_name.get(name), pods.get("items", [])) for name in REQUIRED
    ]
    return [text for text in reasons if text]


def not_ready_reason(name: str, deployment: Manifest | None, pods: Iterable[Manifest]) -> str:
    """Why a Deployment is not ready, as text; empty if it is ready.

    Its pods are checked too: after a resume its status is stale until its controller updates it.
    """
    if deployment is None:
        return f"{name} does not exist"
    status = workload_status(deployment)
    if not status.is_observed:
        return f"{name}: its last change isn't observed yet"
    own = [pod for pod in pods if pod["metadata"]["name"].startswith(f"{name}-")]
    ready = min(status.updated, status.available, sum(map(is_pod_ready, own)))
    if ready >= status.desired:
        return ""
    return f"{name}: {ready} of {status.desired} pods are ready"


async def is_current(layout: Layout, record: Record, api: Api) -> bool:
    """Whether the current add-ons are applied and ready."""
    applied = _applied(layout)
    if not applied.exists() or applied.read_text() != digest(variables(layout, record)):
        return False
    return not await missing_addons(api)


def _applied(layout: Layout) -> Path:
    return layout.run / "addons.sha256"
