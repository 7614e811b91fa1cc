"""The development Vault in a cluster: installs it, waits for it, logs in and configures it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube, common_labels, gather_limited, workloads
from vrooli.kube.status import stateful_set_unready_reason
from vrooli.steps import Done
from vrooli.vault import configuration, manifests, tls
from vrooli.vault.client import VaultClient
from vrooli.vault.errors import VaultDeniedError, VaultSealedError
from vrooli.vault.manifests import IMAGE, NAME, NAMESPACE, POD, PORT, TLS_PORT, VERSION

__all__ = ["IMAGE", "VaultStatus", "connect", "ensure", "is_foreign", "log_in", "status"]

# Timeout for the pod to become ready, image pull and volume included, seconds.
READY_S = 180.0
# If the pod is not ready after this time, its seal status is checked, seconds; it unseals itself
# within one or two.
UNSEALED_S = 45.0
# At the first start, logins work about a second after the pod is ready.
LOGIN_S = 20.0
LOGIN_PAUSE_S = 0.3
# The lifetime of the administrator's token, seconds: the minimum of the API server.
ADMIN_TOKEN_S = 600


@dataclass(frozen=True)
class VaultStatus:
    """The status of the development Vault: absent, ready, not ready with a reason, or foreign."""

    state: str
    version: str = ""
    detail: str = ""


async def ensure(
    kube: Kube,
    policies_folder: Path,
    progress: Progress,
    *,
    image_hash: str = "",
    client_namespace: str = manifests.CLIENT_NAMESPACE,
    role: dict[str, Any] | None = None,
    read: configuration.ReadKeys | None = None,
) -> Done:
    """Install, start and configure the development Vault unless that is done.

    Args:
        kube: The cluster.
        policies_folder: The folder of the five policies.
        progress: Reports the current action.
        image_hash: The hash of the image's inputs; a change restarts the server.
        client_namespace: The namespace of the Vault Secrets Operator.
        role: The settings of the specification's role; by default for the chart's account.
        read: The keys that values read: missing pairs of keys among them are generated.

    Raises:
        WaitTimeoutError: Its pod did not become ready.
        VaultSealedError: It is running, but sealed.
        VrooliError: Its seal key is lost, or it rejects the login.
    """
    if await is_foreign(kube):
        return Done(False, f"namespace {NAMESPACE} has another Vault, which is left unchanged")
    changed = await _apply(kube, image_hash, client_namespace)
    await _wait_ready(kube, progress)
    progress.report("configures it")
    async with connect(kube) as vault:
        done = await configuration.configure(
            vault, policies_folder, progress, role or configuration.role_settings(), read
        )
    detail = ", ".join(part for part in (f"OpenBao {VERSION}", done.detail) if part)
    return Done(changed or done.changed, detail)


async def status(kube: Kube) -> VaultStatus:
    """The status of the development Vault, by its StatefulSet."""
    if await is_foreign(kube):
        return VaultStatus("foreign", detail=f"namespace {NAMESPACE} has another Vault")
    stateful_set = await kube.get("apps/v1", "StatefulSet", NAME, NAMESPACE)
    if stateful_set is None:
        return VaultStatus("absent")
    reason = stateful_set_unready_reason(stateful_set)
    image = stateful_set["spec"]["template"]["spec"]["containers"][0]["image"]
    return VaultStatus("not ready" if reason else "ready", image.rpartition(":")[2], reason or "")


@asynccontextmanager
async def connect(kube: Kube) -> AsyncIterator[VaultClient]:
    """The development Vault, logged in as administrator for a few minutes.

    Raises:
        PrerequisiteError: It does not respond, or is sealed.
        VaultDeniedError: It rejects the login.
    """
    authority = await tls.fetch_authority(kube)
    async with await kube.port_forward(NAMESPACE, POD, TLS_PORT) as local:
        with (
            tls.trusted(authority) as file,
            closing(VaultClient(f"https://127.0.0.1:{local}", verify=file)) as vault,
        ):
            await vault.check_ready()
            await log_in(kube, vault)
            yield vault


async def _wait_ready(kube: Kube, progress: Progress) -> None:
    try:
        await workloads.wait_ready(kube, "StatefulSet", NAME, NAMESPACE, UNSEALED_S, progress)
    except WaitTimeoutError:
        await _refuse_sealed(kube)
        rest_s = READY_S - UNSEALED_S
        await workloads.wait_ready(kube, "StatefulSet", NAME, NAMESPACE, rest_s, progress)


async def _refuse_sealed(kube: Kube) -> None:
    """Raise if the server is sealed: its pod never becomes ready, and its status has no reason."""
    pod = await kube.get("v1", "Pod", POD, NAMESPACE)
    if pod is None or pod.get("status", {}).get("phase") != "Running":
        return
    # The health needs no login and no secret.
    async with await kube.port_forward(NAMESPACE, POD, PORT) as local:
        with closing(VaultClient(f"http://127.0.0.1:{local}")) as vault:
            try:
                await vault.check_ready()
            except VaultSealedError:
                raise
            except PrerequisiteError:
                return  # it does not respond yet, or is not initialized yet


async def log_in(kube: Kube, vault: VaultClient) -> None:
    """Log in to the development Vault as its administrator.

    Raises:
        VaultDeniedError: It rejects the login.
        ApiError: This kubeconfig may not create the administrator's token.
    """
    token = await kube.service_account_token(NAMESPACE, manifests.ADMIN, ADMIN_TOKEN_S)
    deadline = time.monotonic() + LOGIN_S
    while True:
        try:
            await vault.log_in(manifests.ADMIN_ROLE, token)
        except VrooliError as error:
            if time.monotonic() < deadline:
                # Without a token, nothing in Vault can be watched.
                await asyncio.sleep(LOGIN_PAUSE_S)
                continue
            raise VaultDeniedError(
                f"The administrator cannot log in to the development Vault: {error.message}",
                "Its first start may have been interrupted before it stored anything. Recreate it: "
                f"`kubectl delete namespace {NAMESPACE}`, then run the command again.",
            ) from error
        return


async def is_foreign(kube: Kube) -> bool:
    """Whether the namespace has a Vault that this product did not create."""
    namespace = await kube.get("v1", "Namespace", NAMESPACE)
    if namespace is None:
        return False
    owner = namespace["metadata"].get("labels", {}).get(common_labels.MANAGED_BY)
    return owner != "vrooli" and await kube.get("v1", "Service", NAME, NAMESPACE) is not None


async def _apply(
    kube: Kube, image_hash: str, client_namespace: str = manifests.CLIENT_NAMESPACE
) -> bool:
    changed = await kube.apply(manifests.namespace())
    changed |= await _ensure_seal_key(kube)
    renewed, certificate = await tls.ensure(kube)
    changed |= renewed
    *others, stateful_set = manifests.server(image_hash, certificate, client_namespace)
    applied = await gather_limited(kube.apply, others)
    # Its pod needs the account and the configuration.
    return any([changed, *applied, await kube.apply(stateful_set)])


async def _ensure_seal_key(kube: Kube) -> bool:
    if await kube.get("v1", "Secret", manifests.SEAL_SECRET, NAMESPACE) is not None:
        return False
    if await kube.get("v1", "PersistentVolumeClaim", manifests.CLAIM, NAMESPACE) is not None:
        raise VrooliError(
            "The storage of the development Vault exists, but its seal key, the Secret "
            f"{manifests.SEAL_SECRET} in namespace {NAMESPACE}, is missing.",
            f"Restore it, or start with new secrets: `kubectl delete namespace {NAMESPACE}`.",
        )
    return await kube.apply(manifests.seal_key())
