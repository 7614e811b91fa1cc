"""Service accounts with rights of a test's choice in one namespace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vrooli.kube import Kube

GROUP = "rbac.authorization.k8s.io"


async def kubeconfig_of(
    name: str,
    rules: Sequence[dict[str, Any]],
    namespace: str,
    *,
    kube: Kube,
    source: Path,
    folder: Path,
) -> Path:
    """The kubeconfig of an account with these rights, made from an administrator's."""
    metadata = {"name": name, "namespace": namespace}
    reference = {"apiGroup": GROUP, "kind": "Role", "name": name}
    subjects = [{"kind": "ServiceAccount", **metadata}]
    for body in (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": subjects,
        },
    ):
        await kube.apply(body)
    return await existing(name, namespace, kube=kube, source=source, folder=folder)


async def existing(name: str, namespace: str, *, kube: Kube, source: Path, folder: Path) -> Path:
    """The kubeconfig of an account that exists."""
    config = yaml.safe_load(source.read_text())
    config["users"][0]["user"] = {"token": await kube.service_account_token(namespace, name, 600)}
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
