"""The secrets of a release as they are in the cluster."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from vrooli import shell
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube, Manifest
from vrooli.kube.objects import annotations_of, items, text
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators.vso import names as vso
from vrooli.rotation.model import KINDS, Kind, Rotated, Target

RELEASE = "meta.helm.sh/release-name"
# The rotator's settings with the Secrets that it reads (_rotation.tpl in the chart).
SOURCES = {Rotated.POSTGRES: "POSTGRES_SOURCE", Rotated.REDIS: "REDIS_SOURCE"}
STATE = "STATE_SECRET"


async def find(kube: Kube, environment: Environment, name: Rotated) -> Target:
    """A secret of a release.

    Raises:
        UsageError: The release has its secrets from a file.
        PrerequisiteError: The release does not exist, or lacks what a rotation needs.
    """
    sync = await _sync(kube, environment, KINDS[name])
    if name not in SOURCES:
        return Target(name, environment.namespace, sync)
    rotator_name = f"{environment.release}-rotator"
    rotator = await kube.get("apps/v1", "Deployment", rotator_name, environment.namespace)
    settings = _settings(rotator)
    target = Target(name, environment.namespace, sync, rotator_name, settings.get(STATE, ""))
    if settings.get(SOURCES[name]) != target.source:
        raise PrerequisiteError(
            f"No rotator publishes the password of {name} in {environment.release}: pods would "
            "lose their connections while it changes.",
            "Deploy with rotation.enabled: true. Passwords of databases outside the cluster are "
            "rotated by their owners.",
        )
    if rotator is not None and (reason := deployment_unready_reason(rotator)):
        raise PrerequisiteError(
            f"The rotator {rotator_name} is not ready: {reason}.",
            f"Run `vrooli diagnose -e {environment.name}` to find the cause.",
        )
    return target


async def _sync(kube: Kube, environment: Environment, kind: Kind) -> Manifest:
    if await kube.serves(vso.API_VERSION, vso.STATIC_SECRET):
        bodies = await kube.list(vso.API_VERSION, vso.STATIC_SECRET, environment.namespace)
        destinations = (kind.spec.kubernetes, f"{kind.spec.kubernetes}-vault")
        for body in bodies:
            is_own = text(annotations_of(body), RELEASE) == environment.release
            if is_own and text(body, "spec", "destination", "name") in destinations:
                return body
    if await kube.get("v1", "Secret", kind.spec.kubernetes, environment.namespace) is not None:
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
