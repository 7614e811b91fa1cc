"""The login of the Vault Secrets Operator, for the checks of Vault."""

from __future__ import annotations

from collections.abc import Mapping

from vrooli.checks.interface import Site, UnavailableError
from vrooli.checks.vault.request import VaultRequest, is_ours
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.vault import VaultClient, server
from vrooli.vault.errors import VaultDeniedError

# The lifetime of the token for the checks, seconds; the API server's minimum.
TOKEN_S = 600
SETUP_ROLE = "`vrooli setup --target k8s-cluster` writes the role of a development Vault."


async def log_in(site: Site, request: VaultRequest, vault: VaultClient) -> None:
    """Log in with the operator's service account.

    Before the first deploy it does not exist. The administrator of our development Vault then reads
    whom the role accepts, and the checks use a token with the role's policies.
    """
    token = await _token(site.kube, site.namespace, request)
    if token:
        await vault.log_in(request.role, token, request.mount)
        return
    missing = f"service account {site.namespace}/{request.account}, which the operator will use,"
    if not is_ours(request.address):
        raise UnavailableError(
            f"{missing} has no token: it does not exist yet, or this kubeconfig may not create one"
        )
    try:
        await server.log_in(site.kube, vault)
    except VrooliError as error:
        raise UnavailableError(
            f"{missing} does not exist yet, and this kubeconfig cannot read the role: "
            f"{error.message}"
        ) from error
    role = await vault.role(request.mount, request.role)
    if refusal := refusal_reason(role, site.namespace, request):
        raise VaultDeniedError(refusal, SETUP_ROLE)
    await vault.use_token_of((role or {}).get("token_policies", ()), TOKEN_S)


def refusal_reason(role: Mapping[str, object] | None, namespace: str, request: VaultRequest) -> str:
    """Why a role does not accept the operator's login; empty if it does."""
    if role is None:
        return f"Vault has no role {request.role} at auth/{request.mount}."
    audience = role.get("audience") or ""
    if (audience or request.audiences) and audience not in request.audiences:
        expected = ", ".join(request.audiences) or "none"
        return (
            f"Vault's role {request.role} has the audience {audience or 'none'}, and the token "
            f"of the operator's login has: {expected} (vso.audiences)."
        )
    bound = (
        ("bound_service_account_names", "service account", request.account),
        ("bound_service_account_namespaces", "service accounts of namespace", namespace),
    )
    for field_name, what, name in bound:
        accepted = role.get(field_name)
        if not isinstance(accepted, list) or not {"*", name} & set(accepted):
            return f"Vault's role {request.role} does not allow {what} {name} ({field_name})."
    return ""


async def _token(kube: Kube, namespace: str, request: VaultRequest) -> str:
    """A token of the account; empty if it does not exist yet or may not be created."""
    try:
        return await kube.service_account_token(
            namespace, request.account, TOKEN_S, request.audiences
        )
    except ApiError:
        return ""
