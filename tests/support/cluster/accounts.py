"""Service accounts with rights of a test's choice in one namespace, and commands with them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vrooli import process, project
from vrooli.kube import Kube
from vrooli.process import Completed

GROUP = "rbac.authorization.k8s.io"
# What docs/compatibility.md tells administrators to apply.
ROLES = project.root() / "k8s" / "rbac" / "namespace-administrator.yaml"


def roles() -> dict[str, list[dict[str, Any]]]:
    """The rules of each Role and ClusterRole of the file, by its name."""
    bodies = yaml.safe_load_all(ROLES.read_text())
    return {body["metadata"]["name"]: body["rules"] for body in bodies}


ADMINISTRATOR = roles()["vrooli"]
LIMIT_S = 120.0
# How long a token is valid, seconds: longer than a deploy of the whole release.
TOKEN_S = 3600


@dataclass(frozen=True)
class Command:
    """Runs vrooli with a kubeconfig.

    Attributes:
        kubeconfig: The kubeconfig; its current context is used.
        state: The state folder of the command, which knows no cluster of this host.
        environment: The environment, as ``-e`` takes it.
        limit_s: How long a command may take, seconds.
    """

    kubeconfig: Path
    state: Path
    environment: str
    limit_s: float = LIMIT_S

    async def run(self, name: str, *words: str) -> Completed:
        """The output and status of a command of the environment, whatever it is."""
        return await self.run_on_cluster(name, "-e", self.environment, *words)

    async def run_on_cluster(self, name: str, *words: str) -> Completed:
        """The output and status of a command, such as ``upgrade operators``."""
        where = ["--cluster", f"context:{self._context}"]
        return await process.run(
            [sys.executable, "-m", "vrooli", *name.split(), *where, *words],
            env={
                "KUBECONFIG": str(self.kubeconfig),
                "VROOLI_STATE_DIR": str(self.state),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            },
            check=False,
            timeout_s=self.limit_s,
        )

    async def json(self, name: str, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the result of a command."""
        done = await self.run(name, *words, "--output", "json")
        assert "Traceback" not in done.log, done.log
        last = json.loads(done.output.splitlines()[-1])
        return done.status, last["result"]

    @property
    def _context(self) -> str:
        return str(yaml.safe_load(self.kubeconfig.read_text())["current-context"])


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


async def bind(kube: Kube, name: str, namespace: str, role: str, *places: str) -> None:
    """Grant a ClusterRole to an account in some namespaces; without any, in the whole cluster."""
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    for place in places or (None,):
        kind = "RoleBinding" if place else "ClusterRoleBinding"
        metadata = {"name": f"{name}-{role}", **({"namespace": place} if place else {})}
        body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
        await kube.apply({**body, "roleRef": reference, "subjects": subjects})


async def unbind(kube: Kube, name: str, role: str, *places: str) -> None:
    """Take back what :func:`bind` granted."""
    for place in places or (None,):
        kind = "RoleBinding" if place else "ClusterRoleBinding"
        await kube.delete(f"{GROUP}/v1", kind, f"{name}-{role}", place)


async def existing(name: str, namespace: str, *, kube: Kube, source: Path, folder: Path) -> Path:
    """The kubeconfig of an account that exists."""
    config = yaml.safe_load(source.read_text())
    config["users"][0]["user"] = {
        "token": await kube.service_account_token(namespace, name, TOKEN_S)
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
