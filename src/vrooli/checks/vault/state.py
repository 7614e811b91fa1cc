"""What Vault gives, collected once: asked as its Secrets Operator will ask. Judged elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

from vrooli.checks.interface import Site, UnavailableError
from vrooli.checks.runner import is_forbidden
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import ApiError, Kube, objects
from vrooli.kube.objects import Ref, mapping, ref_of
from vrooli.kube.status import pod_status
from vrooli.operators.vso.templates import secret_keys
from vrooli.vault import VaultClient, manifests, policies, server
from vrooli.vault.address import VaultAddress, parse_address, pod_port
from vrooli.vault.client import VaultDeniedError

OUR_SERVICE = Ref("Service", manifests.NAME, manifests.NAMESPACE)
# How long the token for asking lives, seconds; the API server's least.
TOKEN_S = 600
# Whose accounts ask while the release's namespace isn't there.
ANY_NAMESPACE = "default"


@dataclass(frozen=True)
class VaultRequest:
    """What the release's objects want of Vault.

    Attributes:
        address: Where it is, as pods see it.
        role: The role that the operator takes on.
        mount: The mount of its authentication.
        account: The service account that it shows.
        secrets: Mount and path of each secret, and the keys that its templates read.
    """

    address: str
    role: str
    mount: str
    account: str
    secrets: Mapping[tuple[str, str], frozenset[str]]


@dataclass(frozen=True)
class SecretKeys:
    """What the role was given at one path; names of keys only.

    Attributes:
        denied: No policy of the role lets it be read.
        keys: Its keys; None when there is no secret.
        empty: Those of its keys that have no value.
    """

    denied: bool = False
    keys: frozenset[str] | None = None
    empty: frozenset[str] = frozenset()


@dataclass(frozen=True)
class VaultSnapshot:
    """What Vault answered.

    Attributes:
        trouble: Why it gives nothing: it doesn't answer, it is sealed, it lets the role not in.
        advice: What to do about that.
        secrets: What is at each path, by mount and path.
        engines: Type and version of the engine at each mount; empty when it isn't told.
        policies: The policies of the role.
        may: What the role may do at each path that was asked for.
        rules: The text of each of the five policies, where the administrator's way in is ours;
            None for one that isn't there.
    """

    failure: str = ""
    advice: str = ""
    secrets: Mapping[tuple[str, str], SecretKeys] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    policies: frozenset[str] = frozenset()
    may: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rules: Mapping[str, str | None] | None = None


def vault_request(site: Site) -> VaultRequest | None:
    """What the release wants of Vault; None when it has its secrets from elsewhere."""
    connections, logins = site.of_kind("VaultConnection"), site.of_kind("VaultAuth")
    synced = site.of_kind("VaultStaticSecret")
    if not (connections and logins and synced):
        return None
    login = logins[0].body["spec"]
    rotated = _rotated_keys(site)
    secrets: dict[tuple[str, str], frozenset[str]] = {}
    for item in synced:
        spec = item.body["spec"]
        place, filled = (str(spec["mount"]), str(spec["path"])), spec["destination"]
        keys = secret_keys(item.body) | rotated.get(filled["name"], frozenset())
        secrets[place] = secrets.get(place, frozenset()) | keys
    return VaultRequest(
        str(connections[0].body["spec"]["address"]),
        str(login["kubernetes"]["role"]),
        str(login["mount"]),
        str(login["kubernetes"]["serviceAccount"]),
        secrets,
    )


COMPONENT, ROTATOR = "app.kubernetes.io/component", "rotator"
# What the rotator reads of the Secret that a setting of its names; Redis' key is a template's.
ROTATED_KEYS = {"POSTGRES_SOURCE": frozenset({"DB_PASSWORD"})}


def _rotated_keys(site: Site) -> dict[str, frozenset[str]]:
    """The keys that the rotator reads of a Secret that VSO fills, by the Secret's name."""
    return {
        str(setting["value"]): ROTATED_KEYS[setting["name"]]
        for item in site.of_kind("Deployment")
        if objects.labels(item.body).get(COMPONENT) == ROTATOR
        for container in item.body["spec"]["template"]["spec"]["containers"]
        for setting in container.get("env", ())
        if setting["name"] in ROTATED_KEYS
    }


def skip_reason(site: Site) -> str:
    """Why Vault isn't needed."""
    return "" if vault_request(site) else "these values take no secrets from Vault"


def is_ours(address: str) -> bool:
    """Whether an address is that of the development Vault of this product."""
    parsed = parse_address(address)
    return parsed is not None and parsed.service == OUR_SERVICE


async def collect(site: Site) -> VaultSnapshot:
    """What Vault answers, asked once for all checks.

    Raises:
        UnavailableError: It can't be asked from here.
        ApiError: This kubeconfig may not look.
    """
    return await site.shared.get("vault", lambda: _collect(site))


async def _collect(site: Site) -> VaultSnapshot:
    request = vault_request(site)
    if request is None:
        raise UnavailableError("the release takes nothing from Vault")
    address = parse_address(request.address)
    if address is None or address.service is None:
        raise UnavailableError(
            f"{request.address} is outside of the cluster and cannot be read from here"
        )
    try:
        async with _reach(site.kube, address, address.service) as vault:
            await vault.check_ready()
            snapshot = await _as_operator(site, request, vault)
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
    """Log in with the account's token and read what the operator will read."""
    await _log_in(site, request, vault)
    read = await asyncio.gather(*(_secret(vault, *place) for place in request.secrets))
    secrets = dict(zip(request.secrets, read, strict=True))
    if not site.deep:
        return VaultSnapshot(secrets=secrets)
    engines = {mount: await vault.engine(mount) for mount in dict.fromkeys(m for m, _ in secrets)}
    own_policies = await vault.own_policies()
    may = await vault.capabilities([*allowed_paths(request), *forbidden_paths(request)])
    rules = await _rules(site.kube, request.address)
    return VaultSnapshot(
        secrets=secrets, engines=engines, policies=frozenset(own_policies), may=may, rules=rules
    )


def allowed_paths(request: VaultRequest) -> list[str]:
    """The paths of Vault's API that the role must be able to read."""
    return [f"{mount}/data/{path}" for mount, path in request.secrets]


def forbidden_paths(request: VaultRequest) -> list[str]:
    """Paths that the role must not reach: beside, below and above its own, and Vault's own."""
    mounts = dict.fromkeys(mount for mount, _ in request.secrets)
    return [
        *(f"{mount}/metadata/{path}" for mount, path in request.secrets),
        *(f"{mount}/delete/{path}" for mount, path in request.secrets),
        *(f"{mount}/data/{path}/below" for mount, path in request.secrets if path not in _OPEN),
        *(
            f"{mount}/data/{sibling}"
            for mount in mounts
            for sibling in _SIBLINGS
            if (mount, sibling) not in request.secrets
        ),
        *(
            "sys/policies/acl/vrooli-admin",
            f"auth/{request.mount}/role/{request.role}",
            "sys/mounts",
        ),
    ]


# The policy of this one is for a folder: whatever is below it is meant, too.
_OPEN = ("vrooli/dockerhub/pull-credentials",)
_SIBLINGS = (
    *("vrooli", "vrooli/other", "vrooli/config/other", "vrooli/secrets", "vrooli/secrets/other"),
    *("other", "other/secrets"),
)


async def _rules(kube: Kube, address: str) -> Mapping[str, str | None] | None:
    """The five policies' text, as the administrator of our own development Vault reads it."""
    try:
        if not is_ours(address) or (await server.status(kube)).state != "ready":
            return None
        async with server.connect(kube) as vault:
            return {name: await vault.policy(name) for name in policies.NAMES}
    except VrooliError:
        return None  # who may not be administrator sees what the role may, and no more


async def _secret(vault: VaultClient, mount: str, path: str) -> SecretKeys:
    try:
        values = await vault.read_secret(mount, path)
    except VaultDeniedError:
        return SecretKeys(denied=True)
    if not values:
        return SecretKeys()
    empty = frozenset(key for key, value in values.items() if not value)
    return SecretKeys(keys=frozenset(values), empty=empty)


async def _log_in(site: Site, request: VaultRequest, vault: VaultClient) -> None:
    """Log in as the account that the operator will show, or as its like while there is none."""
    token = await _token(site.kube, site.namespace, request.account)
    if token:
        await vault.log_in(request.role, token, request.mount)
        return
    token = await _token(site.kube, ANY_NAMESPACE, request.account)
    missing = f"service account {site.namespace}/{request.account}, which will ask Vault,"
    if not token:
        raise UnavailableError(
            f"{missing} gives no token: it isn't there, or we may not ask for one"
        )
    try:
        await vault.log_in(request.role, token, request.mount)
    except VaultDeniedError as error:
        raise UnavailableError(f"{missing} isn't there yet, and no other may ask") from error


async def _token(kube: Kube, namespace: str, account: str) -> str:
    """A token of an account; empty where it isn't there yet or we may not."""
    try:
        return await kube.service_account_token(namespace, account, TOKEN_S)
    except ApiError:
        return ""


@asynccontextmanager
async def _reach(kube: Kube, address: VaultAddress, ref: Ref) -> AsyncIterator[VaultClient]:
    """Vault through one of its Service's pods."""
    service = await kube.get("v1", "Service", ref.name, ref.namespace)
    if service is None:
        raise PrerequisiteError(f"Vault can't be reached at {address.host}: no such Service.")
    selector = mapping(service, "spec", "selector")
    labels = ",".join(f"{name}={value}" for name, value in selector.items())
    pods = await kube.list("v1", "Pod", ref.namespace, labels) if labels else []
    running = next((pod for pod in pods if pod_status(pod).phase == "Running"), None)
    if running is None:
        raise PrerequisiteError(f"Vault can't be reached at {address.host}: no pod of it runs.")
    port, name = pod_port(service, running, address.port), ref_of(running).name
    async with await kube.port_forward(ref.namespace, name, port) as local:
        url = f"{address.scheme}://127.0.0.1:{local}{address.path}"
        # The certificate names the Service; the API server forwards to this pod and no other.
        with closing(VaultClient(url, verify=False)) as vault:
            yield vault
