"""What tests of checks share: a site without a cluster, and objects as an API server gives them."""

from __future__ import annotations

from typing import Any, cast

from support.chart.rendering import render_once
from vrooli.chart import values
from vrooli.chart.manifest import Manifest
from vrooli.checks.interface import Check, Site
from vrooli.environments import ENVIRONMENTS
from vrooli.kube import Kube


def rendered(environment: str = "dev", **changes: Any) -> tuple[Manifest, ...]:
    """An environment's release, with changed values."""
    result = ENVIRONMENTS[environment]
    chosen = values.merge(values.load(result), changes)
    return render_once(chosen, release=result.release, namespace=result.namespace)


def site(manifests: tuple[Manifest, ...] = (), kube: object = None, **settings: Any) -> Site:
    """A site whose cluster is asked for nothing, or is a stand-in."""
    return Site.of(cast(Kube, kube), "dev", manifests, **settings)


def names(outcome: Any) -> list[str]:
    """What the findings are about."""
    return [finding.resource for finding in outcome.findings]


def check(name: str, run: Any, **settings: Any) -> Check:
    """A check of the test's own."""
    return Check(name, name.title(), f"looks at {name}", run, **settings)


def storage_class(name: str, *, default: bool = False) -> dict[str, Any]:
    """A StorageClass."""
    records = {"storageclass.kubernetes.io/is-default-class": "true"} if default else None
    return {"metadata": {"name": name, "annotations": records}}


def node(name: str = "one", cpu: str = "4", memory: str = "8Gi", **spec: Any) -> dict[str, Any]:
    """A node that is ready."""
    status = {
        "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return {"metadata": {"name": name, "labels": {"disk": "fast"}}, "spec": spec, "status": status}


def pod(cpu: str, memory: str, *, on: str = "one", phase: str = "Running") -> dict[str, Any]:
    """A pod of another owner."""
    container = {"resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {
        "metadata": {"name": "other", "namespace": "elsewhere"},
        "spec": {"nodeName": on, "containers": [container]},
        "status": {"phase": phase},
    }
