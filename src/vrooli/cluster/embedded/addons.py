"""What every cluster brings: names, storage, an entry from outside, and metrics.

The manifests are ours, in manifests/; ``$${name}`` in them stands for one of ``variables``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.settings import (
    CLUSTER_DOMAIN,
    DNS_SERVICE_IP,
    Layout,
    Record,
    write_whole,
)
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.steps import first_error

MANIFESTS = Path(__file__).with_name("manifests")
NAMESPACE = "kube-system"
# What a release needs from the first moment on; metrics may come later.
AWAITED = ("coredns", "local-path-provisioner")
READY_S = 120.0
# Made anew at each start, so that they say nothing about whether the add-ons are those wanted.
RENEWED = ("metrics_certificate", "metrics_key")


def variables(layout: Layout, record: Record) -> dict[str, str]:
    """What the manifests' variables stand for; holds a private key."""

    def encoded(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    return {
        **record.images,
        "domain": CLUSTER_DOMAIN,
        "dns_ip": DNS_SERVICE_IP,
        "storage": str(layout.storage),
        "authority": encoded("ca.crt"),
        "metrics_certificate": encoded("metrics-server.crt"),
        "metrics_key": encoded("metrics-server.key"),
    }


def manifests(values: Mapping[str, str]) -> list[Manifest]:
    """Every object of every add-on, in the order in which they may be applied."""
    found: list[Manifest] = []
    for file in sorted(MANIFESTS.glob("*.yaml")):
        found += yaml.safe_load_all(Template(file.read_text()).substitute(values))
    return found


def digest(values: Mapping[str, str]) -> str:
    """What tells one set of add-ons from another."""
    stable = {**values, **dict.fromkeys(RENEWED, "")}
    return hashlib.sha256(json.dumps(manifests(stable)).encode()).hexdigest()


async def apply(layout: Layout, record: Record) -> None:
    """Apply the add-ons, all at once: each object stands on its own."""
    kube = await Kube.connect(layout.kubeconfig)
    values = variables(layout, record)
    try:
        async with asyncio.TaskGroup() as group:
            for manifest in manifests(values):
                group.create_task(kube.apply(manifest))
    except* VrooliError as errors:
        raise first_error(errors) from errors
    write_whole(_applied(layout), digest(values))


async def wait(layout: Layout, progress: Progress) -> None:
    """Wait until the add-ons that a release needs are there.

    Raises:
        WaitTimeoutError: One isn't.
    """
    kube = await Kube.connect(layout.kubeconfig)
    for name in AWAITED:
        await kube.wait_for("apps/v1", "Deployment", name, NAMESPACE, lacking, READY_S, progress)


def lacking(deployment: Manifest | None) -> str | None:
    """What a Deployment lacks, in words, or None."""
    if deployment is None:
        return "it does not exist"
    name, wanted = deployment["metadata"]["name"], deployment["spec"].get("replicas", 1)
    status: Mapping[str, Any] = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return f"{name}: its change has not been seen yet"
    ready = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return None if ready >= wanted else f"{name}: {ready} of {wanted} pods are ready"


async def current(layout: Layout, record: Record, api: Api) -> bool:
    """Whether the wanted add-ons are applied and ready."""
    applied = _applied(layout)
    if not applied.exists() or applied.read_text() != digest(variables(layout, record)):
        return False
    listing = await api.read(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments")
    found = {item["metadata"]["name"]: item for item in listing.get("items", ())}
    return all(lacking(found.get(name)) is None for name in AWAITED)


def _applied(layout: Layout) -> Path:
    return layout.run / "addons.sha256"
