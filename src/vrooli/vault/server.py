"""The development Vault in a cluster: made, waited for, let in, configured."""

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
from vrooli.kube import Kube, workloads
from vrooli.kube.status import stateful_set_unready_reason
from vrooli.steps import Done
from vrooli.vault import configuration, manifests
from vrooli.vault.client import VaultClient, VaultDeniedError, VaultSealedError
from vrooli.vault.manifests import IMAGE, NAME, NAMESPACE, POD, PORT, VERSION

__all__ = ["IMAGE", "VaultStatus", "connect", "ensure", "status"]

# How long the pod may take to be ready, seconds: image and volume included.
READY_S = 180.0
# After this long without being ready it is asked whether it is sealed, seconds; it unseals itself
# within one or two.
UNSEALED_S = 45.0
# Ready and able to let the administrator in are about a second apart, at the first start.
LOGIN_S = 20.0
LOGIN_PAUSE_S = 0.3
# How long the administrator's service account token lives, seconds; the API server's least.
ADMIN_TOKEN_S = 600


@dataclass(frozen=True)
class VaultStatus:
    """How the development Vault is: absent, ready or not ready, and why; or someone else's."""

    state: str
    version: str = ""
    detail: str = ""


async def ensure(
    kube: Kube,
    policies_folder: Path,
    progress: Progress,
    *,
    image_hash: str = "",
    role: dict[str, Any] | None = None,
) -> Done:
    """Have the development Vault run with everything that Vrooli needs in it.

    Args:
        kube: The cluster.
        policies_folder: The folder of the five policies.
        progress: Told what is done.
        image_hash: What the image was built from; another one restarts the server.
        role: The settings of VSO's role; without it, the seed's.

    Raises:
        WaitTimeoutError: Its pod did not become ready.
        VaultSealedError: It runs, but it is sealed.
        VrooliError: Its seal key is lost, or it lets nobody in.
    """
    if await _is_foreign(kube):
        return Done(False, f"namespace {NAMESPACE} has someone else's Vault, left as it is")
    changed = await _apply(kube, image_hash)
    await _wait_ready(kube, progress)
    progress.report("configures it")
    async with connect(kube) as vault:
        done = await configuration.configure(
            vault, policies_folder, progress, role or configuration.role_settings()
        )
    detail = ", ".join(part for part in (f"OpenBao {VERSION}", done.detail) if part)
    return Done(changed or done.changed, detail)


async def status(kube: Kube) -> VaultStatus:
    """The status of the development Vault, by its StatefulSet."""
    if await _is_foreign(kube):
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
        PrerequisiteError: It doesn't answer or is sealed.
        VaultDeniedError: It lets nobody in.
    """
    async with await kube.port_forward(NAMESPACE, POD, PORT) as local:
        with closing(VaultClient(f"http://127.0.0.1:{local}")) as vault:
            await vault.check_ready()
            await _log_in(kube, vault)
            yield vault


async def _wait_ready(kube: Kube, progress: Progress) -> None:
    try:
        await workloads.wait_ready(kube, "StatefulSet", NAME, NAMESPACE, UNSEALED_S, progress)
    except WaitTimeoutError:
        await _refuse_sealed(kube)
        rest_s = READY_S - UNSEALED_S
        await workloads.wait_ready(kube, "StatefulSet", NAME, NAMESPACE, rest_s, progress)


async def _refuse_sealed(kube: Kube) -> None:
    """Tell a sealed server: its pod never becomes ready, and Kubernetes doesn't know why."""
    pod = await kube.get("v1", "Pod", POD, NAMESPACE)
    if pod is None or pod.get("status", {}).get("phase") != "Running":
        return
    async with await kube.port_forward(NAMESPACE, POD, PORT) as local:
        with closing(VaultClient(f"http://127.0.0.1:{local}")) as vault:
            try:
                await vault.check_ready()
            except VaultSealedError:
                raise
            except PrerequisiteError:
                return  # it doesn't answer yet, or it has just begun


async def _log_in(kube: Kube, vault: VaultClient) -> None:
    token = await kube.service_account_token(NAMESPACE, manifests.ADMIN, ADMIN_TOKEN_S)
    deadline = time.monotonic() + LOGIN_S
    while True:
        try:
            await vault.log_in(manifests.ADMIN_ROLE, token)
        except VrooliError as error:
            if time.monotonic() < deadline:
                # Nothing in Vault can be watched without a token.
                await asyncio.sleep(LOGIN_PAUSE_S)
                continue
            raise VaultDeniedError(
                f"The development Vault lets no administrator in: {error.message}",
                "Its first start may have been cut off, before it held anything. Make it anew: "
                f"`kubectl delete namespace {NAMESPACE}`, then run this again.",
            ) from error
        return


async def _is_foreign(kube: Kube) -> bool:
    """Whether the namespace has a Vault that this product did not create."""
    namespace = await kube.get("v1", "Namespace", NAMESPACE)
    if namespace is None:
        return False
    owner = namespace["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by")
    return owner != "vrooli" and await kube.get("v1", "Service", NAME, NAMESPACE) is not None


async def _apply(kube: Kube, image_hash: str) -> bool:
    changed = await kube.apply(manifests.namespace())
    changed |= await _ensure_seal_key(kube)
    for manifest in manifests.server(image_hash):
        changed |= await kube.apply(manifest)
    return changed


async def _ensure_seal_key(kube: Kube) -> bool:
    if await kube.get("v1", "Secret", manifests.SEAL_SECRET, NAMESPACE) is not None:
        return False
    if await kube.get("v1", "PersistentVolumeClaim", manifests.CLAIM, NAMESPACE) is not None:
        raise VrooliError(
            f"The development Vault's storage exists, but the Secret {manifests.SEAL_SECRET} in "
            f"namespace {NAMESPACE} that unseals it is gone.",
            f"Restore it, or begin with new secrets: `kubectl delete namespace {NAMESPACE}`.",
        )
    return await kube.apply(manifests.seal_key())
