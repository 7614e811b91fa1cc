"""The five secrets as Kubernetes Secrets from a file: the same that VSO creates from Vault."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from vrooli.events import Progress
from vrooli.kube import Kube, Manifest, common_labels
from vrooli.kube.objects import label_selector
from vrooli.secrets import catalog, env_file
from vrooli.secrets.catalog import Values
from vrooli.secrets.names import Names
from vrooli.steps import Done

PGO_LABELS = "postgres-operator.crunchydata.com"
DOCKERHUB_REGISTRY = "https://index.docker.io/v1/"
LABELS = {common_labels.MANAGED_BY: "vrooli", common_labels.NAME: "vrooli"}


async def ensure(kube: Kube, namespace: str, path: Path, names: Names, progress: Progress) -> Done:
    """Apply a namespace's Secrets from a secrets file.

    Raises:
        UsageError: The file cannot be read, or keys are missing.
    """
    values = env_file.read(path)
    if await kube.get("v1", "Namespace", namespace) is None:
        await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    changed = []
    for manifest in manifests(values, names):
        name = manifest["metadata"]["name"]
        progress.report(f"applies Secret {name}")
        is_user_secret = name == _user_secret(values, names)
        desired = (
            await _with_new_verifier(kube, namespace, manifest) if is_user_secret else manifest
        )
        if await kube.apply(desired, namespace=namespace):
            changed.append(name)
    summary = f"changed {', '.join(changed)}" if changed else "unchanged"
    return Done(bool(changed), f"from {path}, {summary}")


async def exist(kube: Kube, namespace: str) -> bool:
    """Whether a namespace has Secrets from a secrets file, whatever their names."""
    selector = label_selector(LABELS)
    return bool(await kube.list("v1", "Secret", namespace, selector, names_only=True))


def manifests(values: Values, names: Names) -> Iterator[Manifest]:
    """The Secrets with these values; the last one passes the database's password to PGO."""
    for spec in catalog.ALL:
        data, name = values[spec.path], names.secrets[spec]
        if spec is catalog.DOCKERHUB:
            login = {".dockerconfigjson": _docker_config(data)}
            yield _secret(name, login, kind="kubernetes.io/dockerconfigjson")
        elif spec is catalog.REDIS:
            # The Redis operator reads this key; its name is fixed.
            yield _secret(name, {**data, "password": data["REDIS_PASSWORD"]})
        else:
            yield _secret(name, data)
    database = values[catalog.POSTGRES.path]
    user = database["DB_USER"]
    yield _secret(
        _user_secret(values, names),
        {"password": database["DB_PASSWORD"]},
        labels={f"{PGO_LABELS}/cluster": names.postgres, f"{PGO_LABELS}/pguser": user},
    )


async def _with_new_verifier(kube: Kube, namespace: str, manifest: Manifest) -> Manifest:
    """The Secret that PGO reads, without a verifier if its password changes.

    PGO computes a verifier only if there is none: with an old one, a new password would never
    be set in PostgreSQL.
    """
    name, data = manifest["metadata"]["name"], manifest["data"]
    existing = await kube.get("v1", "Secret", name, namespace)
    if existing is None or (existing.get("data") or {}).get("password") == data["password"]:
        return manifest
    return {**manifest, "data": {**data, "verifier": ""}}


def _user_secret(values: Values, names: Names) -> str:
    return f"{names.postgres}-pguser-{values[catalog.POSTGRES.path]['DB_USER']}"


def _secret(
    name: str,
    data: Mapping[str, str],
    kind: str = "Opaque",
    labels: Mapping[str, str] | None = None,
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": name, "labels": {**LABELS, **(labels or {})}},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def _docker_config(login: Mapping[str, str]) -> str:
    pair = f"{login['username']}:{login['password']}"
    return json.dumps(
        {"auths": {DOCKERHUB_REGISTRY: {**login, "auth": base64.b64encode(pair.encode()).decode()}}}
    )
