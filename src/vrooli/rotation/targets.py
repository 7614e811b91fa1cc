"""The secrets of a release as they are in the cluster."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from vrooli import shell
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube, Manifest
from vrooli.kube.common_labels import COMPONENT, INSTANCE
from vrooli.kube.objects import annotations_of, items, label_selector, text
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators.vso import names as vso
from vrooli.rotation.model import KINDS, Rotated, SyncedSecret, Target
from vrooli.secrets import kubernetes

RELEASE = "meta.helm.sh/release-name"
# The rotator's settings with the Secrets that it reads (_rotation.tpl in the chart).
SOURCES = {Rotated.POSTGRES: "POSTGRES_SOURCE", Rotated.REDIS: "REDIS_SOURCE"}
STATE = "STATE_SECRET"
ROTATOR = "rotator"


async def find(kube: Kube, environment: Environment, name: Rotated) -> Target:
    """A secret of a release.

    Raises:
        UsageError: The release has its secrets from a file.
        PrerequisiteError: The release does not exist, or lacks what a rotation needs.
    """
    for secret in await synced(kube, environment):
        if isinstance(secret, Target) and secret.name is name:
            if name in SOURCES:
                await demand_rotator(kube, environment, secret)
            return secret
    kind = KINDS[name]
    if await kubernetes.exist(kube, environment.namespace):
        raise UsageError(
            f"{environment.release} in {environment.namespace} has its secrets from a file.",
            f"Change {kind.key} in that file (by default .env.{environment.name}), then run "
            f"`vrooli develop -e {environment.name} --secrets-source file`.",
        )
    raise PrerequisiteError(
        f"Release {environment.release} in namespace {environment.namespace} does not read "
        f"{kind.spec.title} from Vault, or does not exist.",
        shell.checked("To list what it reads: `vrooli status`."),
    )


async def synced(kube: Kube, environment: Environment) -> list[SyncedSecret]:
    """The secrets that a release reads from engines with versions in Vault."""
    if not await kube.serves(vso.API_VERSION, vso.STATIC_SECRET):
        return []
    rotator = await _rotator(kube, environment)
    settings = _settings(rotator)
    return [
        _secret(body, environment, text(rotator, "metadata", "name"), settings)
        for body in await kube.list(vso.API_VERSION, vso.STATIC_SECRET, environment.namespace)
        if text(annotations_of(body), RELEASE) == environment.release
        and text(body, "spec", "type") == vso.KV_V2
    ]


def _secret(
    body: Manifest, environment: Environment, rotator: str, settings: Mapping[str, str]
) -> SyncedSecret:
    """A secret; one that can be rotated is recognized by the Secret that is written."""
    source = text(body, "spec", "destination", "name")
    rotated = {settings.get(setting): name for name, setting in SOURCES.items()}
    if (name := rotated.get(source)) is not None:
        state = settings.get(STATE, "")
        return Target(environment.namespace, body, rotator, state, name=name)
    for name, kind in KINDS.items():
        if vso.is_of_value(body, kind.spec.value):
            return Target(environment.namespace, body, name=name)
    return SyncedSecret(environment.namespace, body)


async def demand_rotator(kube: Kube, environment: Environment, target: Target) -> None:
    """Require that a rotator publishes a password, and is ready.

    Raises:
        PrerequisiteError: None does, or it is not ready.
    """
    if not target.rotator:
        raise PrerequisiteError(
            f"No rotator publishes the password of {target.name} in {environment.release}: pods "
            "would lose their connections while it changes.",
            "Deploy with rotation.enabled: true. Passwords of databases outside the cluster are "
            "rotated by their owners.",
        )
    rotator = await _rotator(kube, environment)
    if rotator is not None and (reason := deployment_unready_reason(rotator)):
        raise PrerequisiteError(
            f"The rotator {target.rotator} is not ready: {reason}.",
            f"Run `vrooli diagnose -e {environment.name}` to find the cause.",
        )


async def _rotator(kube: Kube, environment: Environment) -> Manifest | None:
    """The rotator's Deployment by its labels: its name follows values such as fullnameOverride."""
    labels = label_selector({INSTANCE: environment.release, COMPONENT: ROTATOR})
    found = await kube.list("apps/v1", "Deployment", environment.namespace, labels)
    return next(iter(found), None)


def _settings(rotator: Manifest | None) -> Mapping[str, str]:
    return {
        text(setting, "name"): text(setting, "value")
        for container in items(rotator, "spec", "template", "spec", "containers")
        for setting in items(container, "env")
    }


async def read(kube: Kube, namespace: str, name: str) -> dict[str, str]:
    """The data of a Secret; empty if it does not exist."""
    return data_of(await kube.get("v1", "Secret", name, namespace))


def data_of(secret: Manifest | None) -> dict[str, str]:
    """The decoded data of a Secret."""
    encoded = (secret or {}).get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in encoded.items()}
