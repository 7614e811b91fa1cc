"""The pull secret of the pods exists, unless it is synced from Vault."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable

from vrooli import shell
from vrooli.checks.images.local import LOCAL
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube import Manifest

NAME = "pull-secret"
TYPE = "kubernetes.io/dockerconfigjson"
KEY = ".dockerconfigjson"


def named(site: Site) -> list[str]:
    """The pull secrets of the pods that neither the release nor vrooli creates."""
    names = dict.fromkeys(
        str(one["name"])
        for item in (*site.of_kind("Deployment"), *site.of_kind("StatefulSet"))
        for one in item.body["spec"]["template"]["spec"].get("imagePullSecrets") or []
    )
    synced = {
        item.body["spec"]["destination"]["name"] for item in site.of_kind("VaultStaticSecret")
    }
    return [name for name in names if name not in synced | site.created_secrets]


async def run(site: Site) -> CheckResult:
    """Check that each pull secret exists and has the right type."""
    secrets = {
        name: await site.kube.get("v1", "Secret", name, site.namespace) for name in named(site)
    }
    results = [judge(name, site.namespace, secret) for name, secret in secrets.items()]
    return CheckResult(
        ", ".join(one.summary for one in results if one.summary),
        tuple(finding for one in results for finding in one.findings),
    )


def judge(name: str, namespace: str, secret: Manifest | None) -> CheckResult:
    """Whether a Secret is a pull secret; reads only the registries' names."""
    what, command = (
        f"Secret/{shell.name(name)}",
        f"kubectl get secret {shell.name(name)} -n {shell.label(namespace)}",
    )
    if secret is None:
        message = (
            f"pods reference it as a pull secret, but it does not exist in namespace {namespace}."
        )
        remedy = "Create it, or sync it from Vault (vso.secrets.dockerhubPullSecret)."
        return CheckResult(findings=(Finding(NAME, what, message, remedy, command),))
    if secret.get("type") != TYPE or (registries := _registries(secret)) is None:
        message = (
            f"it is not a valid pull secret: its type is {secret.get('type')}, expected {TYPE}."
        )
        return CheckResult(findings=(Finding(NAME, what, message, "Recreate it.", command),))
    return CheckResult(f"{name} for {', '.join(registries) or 'no registry'}")


def _registries(secret: Manifest) -> list[str] | None:
    try:
        auths = json.loads(b64decode(secret["data"][KEY]))["auths"]
    except (KeyError, TypeError, ValueError):
        return None
    return sorted(auths) if isinstance(auths, Iterable) else None


def skip_reason(site: Site) -> str:
    """Why no pull secret is needed."""
    if all(image.startswith(LOCAL) for image in site.requirements.images):
        return "all images are local"
    return "" if named(site) else "it is created with the release, or the pods reference none"


CHECK = Check(
    NAME,
    "Pull secret",
    "the pull secret of the pods exists and is valid, unless the release creates it",
    run,
    skip_reason,
    stops_deploy=True,
)
