"""The state of Vault as its Secrets Operator sees it, collected once for all checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace

from vrooli.checks.interface import Site, UnavailableError
from vrooli.checks.runner import is_forbidden
from vrooli.checks.vault import certificate
from vrooli.checks.vault.login import log_in
from vrooli.checks.vault.request import KUBERNETES, VaultRequest, is_ours, vault_request
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.kube.objects import Ref, label_selector, mapping, ref_of
from vrooli.kube.status import pod_status
from vrooli.secrets import usable
from vrooli.vault import VaultClient, policies, server, tls
from vrooli.vault.address import VaultAddress, parse_address, pod_port
from vrooli.vault.errors import VaultDeniedError


@dataclass(frozen=True)
class SecretKeys:
    """The result of reading one path; names of keys only.

    Attributes:
        denied: No policy of the role allows reading it.
        keys: Its keys; None if there is no secret.
        empty: The keys without a value.
        problems: Why a consumer cannot use the value of a key, by key.
    """

    denied: bool = False
    keys: frozenset[str] | None = None
    empty: frozenset[str] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VaultSnapshot:
    """The state of Vault.

    Attributes:
        failure: Why it cannot be read: no response, sealed, or the login is rejected.
        advice: What to do about the failure.
        secrets: The result of reading each path, by mount and path.
        engines: Type and version of the engine at each mount; empty if unknown.
        policies: The policies of the role.
        may: The capabilities of the role at each checked path.
        rules: The text of each of the five policies, None for one that does not exist; None in a
            Vault without administrator access.
        warning: What to do about its certificate before it ends.
    """

    failure: str = ""
    advice: str = ""
    secrets: Mapping[tuple[str, str], SecretKeys] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    policies: frozenset[str] = frozenset()
    may: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rules: Mapping[str, str | None] | None = None
    warning: str = ""


async def collect(site: Site) -> VaultSnapshot:
    """The state of Vault, read once for all checks.

    Raises:
        UnavailableError: It is not reachable from here.
        ApiError: This kubeconfig lacks a permission.
    """
    return await site.shared.get("vault", lambda: _collect(site))


async def _collect(site: Site) -> VaultSnapshot:
    request = vault_request(site)
    if request is None:
        raise UnavailableError("the release uses no secrets from Vault")
    if request.method != KUBERNETES:
        raise UnavailableError(
            f"the operator logs in to Vault with {request.method}, whose credentials are not read"
        )
    address = parse_address(request.address)
    if address is None or address.service is None:
        raise UnavailableError(
            f"{request.address} is outside of the cluster and cannot be read from here"
        )
    try:
        async with _reach(site, request, address, address.service) as (vault, warning):
            await vault.check_ready()
            snapshot = replace(await _as_operator(site, request, vault), warning=warning)
    except VaultDeniedError as error:
        return VaultSnapshot(failure=f"{error.message}", advice=error.advice)
    except (ApiError, UnavailableError) as error:
        if isinstance(error, UnavailableError) or is_forbidden(error):
            raise
        return VaultSnapshot(failure=error.message, advice=error.advice)
    except VrooliError as error:
        return VaultSnapshot(failure=error.message, advice=error.advice)
    return snapshot


async def _as_operator(site: Site, request: VaultRequest, vault: VaultClient) -> VaultSnapshot:
    """Log in with the account's token and read the paths that the operator will read."""
    await log_in(site, request, vault)
    exempt = exempt_keys(site)
    read = await asyncio.gather(*(_secret(vault, *place, exempt) for place in request.secrets))
    secrets = dict(zip(request.secrets, read, strict=True))
    if not site.deep:
        return VaultSnapshot(secrets=secrets)
    engines = {mount: await vault.engine(mount) for mount in dict.fromkeys(m for m, _ in secrets)}
    own_policies = await vault.own_policies()
    may = await vault.capabilities([*allowed_paths(request), *forbidden_paths(request)])
    rules = await _rules(site.kube, request)
    return VaultSnapshot(
        secrets=secrets, engines=engines, policies=frozenset(own_policies), may=may, rules=rules
    )


def exempt_keys(site: Site) -> frozenset[str]:
    """The keys of external databases, to which the rules of the operators do not apply."""
    external = (keys for kind, keys in usable.OPERATOR_KEYS.items() if not site.of_kind(kind))
    return frozenset[str]().union(*external)


def allowed_paths(request: VaultRequest) -> list[str]:
    """The paths of Vault's API that the role must be able to read."""
    return [f"{mount}/data/{path}" for mount, path in request.secrets]


def forbidden_paths(request: VaultRequest) -> list[str]:
    """Paths that the role must not access.

    These are siblings, children and parents, the paths of other environments, and system paths.
    """
    own = policies.scope_of(request.role).paths
    siblings = (*_SIBLINGS, *(path for path in policies.PATHS if path not in own))
    mounts = dict.fromkeys(mount for mount, _ in request.secrets)
    return [
        *(f"{mount}/metadata/{path}" for mount, path in request.secrets),
        *(f"{mount}/delete/{path}" for mount, path in request.secrets),
        *(
            f"{mount}/data/{path}/below"
            for mount, path in request.secrets
            if not path.endswith(_OPEN)
        ),
        *(
            f"{mount}/data/{sibling}"
            for mount in mounts
            for sibling in siblings
            if (mount, sibling) not in request.secrets
        ),
        *(
            "sys/policies/acl/vrooli-admin",
            f"auth/{request.mount}/role/{request.role}",
            "sys/mounts",
        ),
    ]


# The policy of this path is for a folder and includes everything below it.
_OPEN = "/dockerhub/pull-credentials"
_SIBLINGS = (
    *("vrooli", "vrooli/other", "vrooli/config/other", "vrooli/secrets", "vrooli/secrets/other"),
    *("other", "other/secrets"),
)


async def _rules(kube: Kube, request: VaultRequest) -> Mapping[str, str | None] | None:
    """The text of the role's policies, read as the administrator of vrooli's development Vault."""
    try:
        if not is_ours(request.address) or (await server.status(kube)).state != "ready":
            return None
        async with server.connect(kube) as vault:
            return {
                name: await vault.policy(name) for name in policies.scope_of(request.role).names
            }
    except VrooliError:
        return None  # without administrator access only the role's capabilities are checked


async def _secret(vault: VaultClient, mount: str, path: str, exempt: frozenset[str]) -> SecretKeys:
    try:
        values = await vault.read_secret(mount, path)
    except VaultDeniedError:
        return SecretKeys(denied=True)
    if not values:
        return SecretKeys()
    empty = frozenset(key for key, value in values.items() if not value)
    problems = {
        key: reason
        for key, value in values.items()
        if key not in exempt and (reason := usable.problem(key, value))
    }
    return SecretKeys(keys=frozenset(values), empty=empty, problems=problems)


@asynccontextmanager
async def _reach(
    site: Site, request: VaultRequest, address: VaultAddress, ref: Ref
) -> AsyncIterator[tuple[VaultClient, str]]:
    """Connect to Vault through a pod of its Service; with a warning about its certificate."""
    kube = site.kube
    service = await kube.get("v1", "Service", ref.name, ref.namespace)
    if service is None:
        raise PrerequisiteError(
            f"Vault is unreachable at {address.host}: the Service does not exist."
        )
    selector = mapping(service, "spec", "selector")
    labels = label_selector(selector)
    pods = await kube.list("v1", "Pod", ref.namespace, labels) if labels else []
    running = next((pod for pod in pods if pod_status(pod).phase == "Running"), None)
    if running is None:
        raise PrerequisiteError(f"Vault is unreachable at {address.host}: no pod is running.")
    port, name = pod_port(service, running, address.port), ref_of(running).name
    async with await kube.port_forward(ref.namespace, name, port) as local:
        warning = await certificate.verify(site, request, address, local)
        url = f"{address.scheme}://127.0.0.1:{local}{address.path}"
        pem = await certificate.authority(site, request, address)
        with ExitStack() as stack:
            # Without a Secret, the CAs are those in the operator's image, which are unknown here.
            verify = stack.enter_context(tls.trusted(pem)) if pem else False
            client = VaultClient(
                url, verify=verify, namespace=request.namespace, server_name=address.host
            )
            yield stack.enter_context(closing(client)), warning
