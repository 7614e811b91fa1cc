"""TLS of the development Vault: the authority and the server's certificate, in Secrets.

The authority's key is in a Secret that no pod mounts. Its certificate is in a ConfigMap, too, that
every account can read, so that nobody needs the Secrets with the keys for it. Releases that use
https have the authority's certificate in a Secret of their namespace, as VSO requires.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vrooli.errors import PrerequisiteError
from vrooli.kube import ApiError, Kube, Manifest, common_labels, gather_limited
from vrooli.kube.objects import Ref, label_selector, mapping, text
from vrooli.vault import certificates
from vrooli.vault.address import parse_address
from vrooli.vault.certificates import Pair
from vrooli.vault.manifests import LABELS, NAME, NAMESPACE, TLS_SECRET

AUTHORITY_SECRET = "vault-ca"  # noqa: S105 - a name
# The ConfigMap with the authority's certificate, and the Role and RoleBinding that let all read it.
PUBLIC = "vault-ca"
CERTIFICATE, KEY, AUTHORITY = "tls.crt", "tls.key", "ca.crt"
# Marks the copies of the authority's certificate in the namespaces of releases.
COPY_LABELS = {common_labels.MANAGED_BY: "vrooli", "vrooli.com/vault-ca": "true"}
COPY_SELECTOR = label_selector(COPY_LABELS)
# Pods use the names of the Service; the commands of vrooli and of the pod itself use loopback.
HOSTS = (
    f"{NAME}.{NAMESPACE}.svc.cluster.local",
    f"{NAME}.{NAMESPACE}.svc",
    f"{NAME}.{NAMESPACE}",
    "localhost",
    "127.0.0.1",
)
SETUP = "Run `vrooli setup --target k8s-cluster`."
SERVICE = Ref("Service", NAME, NAMESPACE)


async def ensure(kube: Kube) -> tuple[bool, str]:
    """Have a valid authority and server certificate, and its copies up to date.

    Returns:
        Whether anything was changed, and the server's certificate, whose change must restart it.
    """
    authority, changed = await _ensure_authority(kube)
    server = await _read(kube, TLS_SECRET)
    if not _is_usable(server, authority):
        server = certificates.issue(authority, HOSTS)
        await kube.apply(_secret(TLS_SECRET, server, authority.certificate))
        changed = True
    applied = await gather_limited(kube.apply, public(authority.certificate))
    for copy in await kube.list("v1", "Secret", labels=COPY_SELECTOR):
        metadata = copy["metadata"]
        changed |= await _copy(kube, metadata["name"], metadata["namespace"], authority.certificate)
    assert server is not None  # noqa: S101 - issued above
    return any([changed, *applied]), server.certificate.decode()


async def ensure_trust(kube: Kube, namespace: str, objects: Iterable[Mapping[str, Any]]) -> bool:
    """Give a release the authority's certificate if it uses the development Vault with https.

    Args:
        kube: The cluster.
        namespace: The namespace of the release; it is created if it does not exist.
        objects: The release's objects.

    Returns:
        Whether anything was changed.

    Raises:
        PrerequisiteError: The development Vault has no certificate, or this kubeconfig may not read
            it and the release has no copy.
    """
    names = {name for body in objects if (name := copy_of(body))}
    try:
        if not names or not await is_installed(kube):
            return False
        authority = await fetch_authority(kube)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        await _demand_copies(kube, namespace, sorted(names))
        return False
    if await kube.get("v1", "Namespace", namespace) is None:
        await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    changed = [await _copy(kube, name, namespace, authority.encode()) for name in sorted(names)]
    return any(changed)


async def _demand_copies(kube: Kube, namespace: str, names: list[str]) -> None:
    for name in names:
        if await kube.get("v1", "Secret", name, namespace) is None:
            raise PrerequisiteError(
                f"The Secret {namespace}/{name} with the CA of Vault's certificate does not exist, "
                f"and this kubeconfig may not read the CA in namespace {NAMESPACE}.",
                "Ask an administrator to copy it (k8s/README.md, Secrets), or for the permission.",
            )


def copy_of(connection: Mapping[str, Any]) -> str:
    """The Secret that a VaultConnection to the development Vault needs; empty if it needs none."""
    if connection.get("kind") != "VaultConnection":
        return ""
    address = parse_address(text(connection, "spec", "address"))
    if address is None or address.scheme != "https" or address.service != SERVICE:
        return ""
    return text(connection, "spec", "caCertSecretRef")


async def is_installed(kube: Kube) -> bool:
    """Whether the Service of the development Vault exists and is not that of another Vault."""
    service = await kube.get("v1", "Service", NAME, NAMESPACE)
    labels = mapping(service, "metadata", "labels") if service else {}
    return LABELS.items() <= labels.items()


async def fetch_authority(kube: Kube) -> str:
    """The certificate of the development Vault's authority, PEM.

    Raises:
        PrerequisiteError: There is none.
        ApiError: This kubeconfig may not read it.
    """
    published = await kube.get("v1", "ConfigMap", PUBLIC, NAMESPACE)
    pem = text(published, "data", AUTHORITY) if published else ""
    if not pem:
        raise PrerequisiteError("The development Vault has not published its CA.", SETUP)
    return pem


def public(authority: bytes) -> list[Manifest]:
    """The authority's certificate for everybody: a ConfigMap, and the permission to read it."""
    metadata = {"name": PUBLIC, "namespace": NAMESPACE, "labels": LABELS}
    rbac, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    rule = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [PUBLIC],
        "verbs": ["get"],
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {AUTHORITY: authority.decode()},
        },
        {"apiVersion": rbac, "kind": "Role", "metadata": metadata, "rules": [rule]},
        {
            "apiVersion": rbac,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": PUBLIC},
            "subjects": [{"apiGroup": group, "kind": "Group", "name": "system:authenticated"}],
        },
    ]


@contextmanager
def trusted(authority: str) -> Iterator[str]:
    """A temporary file with an authority's certificate, for clients that need a file."""
    with tempfile.TemporaryDirectory(prefix="vrooli-") as folder:
        path = Path(folder) / AUTHORITY
        path.write_text(authority)
        yield str(path)


async def _ensure_authority(kube: Kube) -> tuple[Pair, bool]:
    authority = await _read(kube, AUTHORITY_SECRET)
    # It must outlive each certificate that it signs.
    lifetime = certificates.SERVER_LIFETIME + certificates.RENEWED_BEFORE
    if authority is not None and not certificates.ends_within(authority.certificate, lifetime):
        return authority, False
    authority = certificates.new_authority()
    await kube.apply(_secret(AUTHORITY_SECRET, authority, authority.certificate))
    return authority, True


def _is_usable(server: Pair | None, authority: Pair) -> bool:
    return (
        server is not None
        and certificates.is_signed_by(server.certificate, authority.certificate)
        and not certificates.ends_within(server.certificate, certificates.RENEWED_BEFORE)
        and certificates.is_for(server.certificate, HOSTS)
    )


def authority_in(secret: Mapping[str, Any] | None) -> bytes:
    """The certificate of the authority in a Secret, PEM; empty if it has none."""
    return _decoded(secret, AUTHORITY)


async def _read(kube: Kube, name: str) -> Pair | None:
    secret = await kube.get("v1", "Secret", name, NAMESPACE)
    certificate, key = _decoded(secret, CERTIFICATE), _decoded(secret, KEY)
    return Pair(certificate, key) if certificate and key else None


def _decoded(secret: Mapping[str, Any] | None, key: str) -> bytes:
    return base64.b64decode(text(secret, "data", key)) if secret else b""


def _secret(name: str, pair: Pair, authority: bytes) -> Manifest:
    data = {CERTIFICATE: pair.certificate, KEY: pair.key, AUTHORITY: authority}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


async def _copy(kube: Kube, name: str, namespace: str, authority: bytes) -> bool:
    metadata = {"name": name, "namespace": namespace, "labels": COPY_LABELS}
    data = {AUTHORITY: base64.b64encode(authority).decode()}
    return await kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    )
