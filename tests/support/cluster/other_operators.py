"""The operators as another team has installed them: by plain Helm, with names of their own.

Their charts are those of the Go modules, with their own values except for the images. PGO's module
has no chart: what runs of it is packed as one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from support.release.helm_cli import PlainHelm
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.kube.objects import label_selector
from vrooli.operators import OPERATORS, PGO, REDIS, VSO, Operator, Source
from vrooli.operators.installation.images import split
from vrooli.operators.pgo import install as pgo
from vrooli.operators.redis import install as redis
from vrooli.operators.vso import install as vso
from vrooli.release import Release

# Their namespaces and releases.
PLACES: Mapping[str, tuple[str, str]] = {
    PGO.name: ("data-team", "postgres"),
    REDIS.name: ("data-team", "redis"),
    VSO.name: ("security-team", "secrets"),
}
RBAC = "rbac.authorization.k8s.io/v1"


async def install(kube: Kube, kubeconfig: Path, folder: Path) -> None:
    """Install them in the place of ours; no object of their kinds may exist.

    Args:
        kube: The cluster.
        kubeconfig: Its file.
        folder: Where charts and values are written.
    """
    charts = {
        PGO.name: await _pack_pgo(kube, folder / "pgo"),
        REDIS.name: (await _module(REDIS)) / "charts" / "redisoperator",
        VSO.name: (await _module(VSO)) / "chart",
    }
    await _remove(kube, kubeconfig)
    for operator in OPERATORS:
        file = folder / f"{operator.name}.yaml"
        file.write_text(yaml.safe_dump(_values(operator)))
        await _helm(operator, kubeconfig).install(charts[operator.name], file)


async def uninstall(kube: Kube, kubeconfig: Path) -> None:
    """Remove them with their namespaces."""
    for operator in OPERATORS:
        await _helm(operator, kubeconfig).uninstall("--no-hooks", "--ignore-not-found")
    for namespace in {namespace for namespace, _ in PLACES.values()}:
        await kube.delete("v1", "Namespace", namespace)


def _helm(operator: Operator, kubeconfig: Path) -> PlainHelm:
    namespace, name = PLACES[operator.name]
    return PlainHelm("helm", Release(name, namespace, kubeconfig))


async def _module(operator: Operator) -> Path:
    return await programs.module_dir(operator.name, Progress())


async def _remove(kube: Kube, kubeconfig: Path) -> None:
    """Remove those that the product has installed, with their record."""
    for operator in (REDIS, VSO):
        name = operator.distributions[Source.GO_MODULE].release
        helm = PlainHelm("helm", Release(name, operator.namespace, kubeconfig))
        await helm.uninstall("--no-hooks", "--ignore-not-found")
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        for body in await kube.list(RBAC, kind, None, label_selector(pgo.LABELS)):
            await kube.delete(RBAC, kind, body["metadata"]["name"])
    for operator in OPERATORS:
        await kube.delete("v1", "Namespace", operator.namespace)


async def _pack_pgo(kube: Kube, folder: Path) -> Path:
    """A chart of PGO as it runs, in another namespace."""
    objects = [
        body
        for api_version, kind in (
            ("v1", "ServiceAccount"),
            ("apps/v1", "Deployment"),
            (RBAC, "ClusterRole"),
            (RBAC, "ClusterRoleBinding"),
        )
        for body in await kube.list(api_version, kind, None, label_selector(pgo.LABELS))
    ]
    assert len(objects) == len({body["kind"] for body in objects})
    templates = folder / "templates"
    templates.mkdir(parents=True)
    chart = {"apiVersion": "v2", "name": "pgo", "version": "5.4.0"}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
    text = yaml.safe_dump_all([_moved(body) for body in objects])
    (templates / "all.yaml").write_text(text)
    return folder


def _moved(body: Manifest) -> Manifest:
    """An object in the other team's namespace, without what the API server has set."""
    namespace, _ = PLACES[PGO.name]
    kept = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    metadata = body["metadata"]
    kept["metadata"] = {
        key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata
    }
    text = json.dumps(kept).replace(
        f'"namespace": "{PGO.namespace}"', f'"namespace": "{namespace}"'
    )
    return dict(json.loads(text))


def _values(operator: Operator) -> dict[str, Any]:
    if operator is REDIS:
        return {"image": _image(redis.IMAGE)}
    if operator is VSO:
        manager, proxy = {"image": _image(vso.IMAGE)}, {"image": _image(vso.PROXY_IMAGE)}
        return {"controller": {"manager": manager, "kubeRbacProxy": proxy}}
    return {}


def _image(reference: str) -> dict[str, str]:
    return dict(zip(("repository", "tag"), split(reference), strict=True))
