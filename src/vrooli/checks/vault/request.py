"""The access to Vault that a release needs, read from its objects. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vrooli.checks.interface import Site
from vrooli.kube import common_labels, objects
from vrooli.operators.vso.templates import secret_keys
from vrooli.vault import tls
from vrooli.vault.address import parse_address

# The auth method whose login a check can repeat.
KUBERNETES = "kubernetes"


@dataclass(frozen=True)
class VaultRequest:
    """The access to Vault that the release's objects need.

    Attributes:
        address: Its address for pods.
        role: The role of the operator's login.
        mount: The mount of the auth method.
        account: The service account of the login.
        audiences: The audiences of its token; empty for the API server's.
        secrets: Mount and path of each secret, and the keys that its templates read.
        namespace: The namespace in Vault; empty: none.
        ca_secret: The Secret with the CA of its certificate; empty: the CAs of the operator.
        skips_verification: Whether the operator accepts any certificate.
        method: The auth method; only Kubernetes auth has a role, an account and audiences here.
    """

    address: str
    role: str
    mount: str
    account: str
    audiences: tuple[str, ...]
    secrets: Mapping[tuple[str, str], frozenset[str]]
    namespace: str = ""
    ca_secret: str = ""
    skips_verification: bool = False
    method: str = KUBERNETES


def vault_request(site: Site) -> VaultRequest | None:
    """The access to Vault that the release needs; None if it does not use Vault."""
    connections, logins = site.of_kind("VaultConnection"), site.of_kind("VaultAuth")
    synced = site.of_kind("VaultStaticSecret")
    if not (connections and logins and synced):
        return None
    login, connection = logins[0].body["spec"], connections[0].body["spec"]
    account = login.get(KUBERNETES) or {}
    rotated = _rotated_keys(site)
    secrets: dict[tuple[str, str], frozenset[str]] = {}
    for item in synced:
        spec = item.body["spec"]
        place, filled = (str(spec["mount"]), str(spec["path"])), spec["destination"]
        keys = secret_keys(item.body) | rotated.get(filled["name"], frozenset())
        secrets[place] = secrets.get(place, frozenset()) | keys
    return VaultRequest(
        str(connection["address"]),
        str(account.get("role", "")),
        str(login["mount"]),
        str(account.get("serviceAccount", "")),
        tuple(account.get("audiences") or ()),
        secrets,
        str(login.get("namespace", "")),
        str(connection.get("caCertSecretRef", "")),
        bool(connection.get("skipTLSVerify")),
        str(login.get("method", KUBERNETES)),
    )


ROTATOR = "rotator"
# The keys that the rotator reads of a Secret in its settings; the key of Redis is in a template.
ROTATED_KEYS = {"POSTGRES_SOURCE": frozenset({"DB_PASSWORD"})}


def _rotated_keys(site: Site) -> dict[str, frozenset[str]]:
    """The keys that the rotator reads of a synced Secret, by the Secret's name."""
    return {
        str(setting["value"]): ROTATED_KEYS[setting["name"]]
        for item in site.of_kind("Deployment")
        if objects.labels(item.body).get(common_labels.COMPONENT) == ROTATOR
        for container in item.body["spec"]["template"]["spec"]["containers"]
        for setting in container.get("env", ())
        if setting["name"] in ROTATED_KEYS
    }


def skip_reason(site: Site) -> str:
    """Why Vault is not needed."""
    return "" if vault_request(site) else "these values use no secrets from Vault"


def is_ours(address: str) -> bool:
    """Whether an address is that of the development Vault of this product."""
    parsed = parse_address(address)
    return parsed is not None and parsed.service == tls.SERVICE
