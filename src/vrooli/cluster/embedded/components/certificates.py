"""The cluster's certificates: three permanent authorities, and leaves that each start renews.

The API's clients, etcd and the aggregation layer have separate authorities, so that a certificate
of one is not valid for the others
(https://kubernetes.io/docs/setup/best-practices/certificates/).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from vrooli import certificates
from vrooli.cluster.embedded.components import account_tokens, api_policies
from vrooli.cluster.embedded.settings import (
    API_SERVICE_IP,
    CLUSTER_DOMAIN,
    HostLink,
)
from vrooli.files import write_atomically

AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")
AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
LEAF_LIFETIME = datetime.timedelta(days=365)
# Those of Go's with forward secrecy and authenticated encryption, for keys of elliptic curves like
# the cluster's (https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/,
# "preferred values"). TLS 1.3 has its own, which cannot be selected.
CIPHER_SUITES = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
)
METRICS_HOST = "metrics-server.kube-system.svc"


@dataclass(frozen=True)
class Leaf:
    """A certificate to issue.

    Attributes:
        name: Its file's name, without ``.crt`` and ``.key``.
        authority: The authority that signs it.
        user: The common name: the client's user name for the API server.
        group: The organization: the client's group.
        hosts: The names and addresses that it is valid for; empty for a client certificate.
    """

    name: str
    authority: str
    user: str
    group: str = ""
    hosts: tuple[str, ...] = ()


def leaves(node: str, host_link: HostLink) -> list[Leaf]:
    """All certificates of a cluster; Kubernetes defines the users and groups."""
    service = "kubernetes.default.svc"
    api_hosts = (
        "localhost",
        "kubernetes",
        "kubernetes.default",
        service,
        f"{service}.{CLUSTER_DOMAIN}",
        "127.0.0.1",
        API_SERVICE_IP,
        host_link.node_ip,
    )
    return [
        Leaf("kube-apiserver", "ca", "kube-apiserver", hosts=api_hosts),
        Leaf("admin", "ca", "vrooli-admin", "system:masters"),
        Leaf("kube-apiserver-kubelet", "ca", "kube-apiserver-kubelet", "system:masters"),
        Leaf("kube-controller-manager", "ca", "system:kube-controller-manager"),
        Leaf("kube-scheduler", "ca", "system:kube-scheduler"),
        Leaf("kube-proxy", "ca", "system:kube-proxy", "system:node-proxier"),
        Leaf("kube-router", "ca", "vrooli:kube-router"),
        Leaf("kubelet", "ca", f"system:node:{node}", "system:nodes", (node, host_link.node_ip)),
        Leaf("metrics-server", "ca", "metrics-server", hosts=(METRICS_HOST,)),
        Leaf("etcd", "etcd-ca", "etcd", hosts=("localhost", "127.0.0.1")),
        Leaf("etcd-peer", "etcd-ca", "etcd-peer", hosts=("localhost", "127.0.0.1")),
        Leaf("etcd-client", "etcd-ca", "kube-apiserver"),
        Leaf("front-proxy-client", "front-proxy-ca", "front-proxy-client"),
    ]


def ensure(pki: Path, node: str, host_link: HostLink) -> None:
    """Create the authorities and the permanent keys once, and renew the leaves."""
    pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in AUTHORITIES:
        if not (pki / f"{name}.crt").exists():
            _make_authority(pki, name)
    account_tokens.ensure_key(pki)
    api_policies.ensure_encryption_key(pki)
    for leaf in leaves(node, host_link):
        _issue(pki, leaf)


def _make_authority(pki: Path, name: str) -> None:
    key = certificates.new_key()
    named = certificates.subject(f"vrooli-{name}")
    builder = certificates.authority(named, key, AUTHORITY_LIFETIME, signs_data=True)
    # The key first: an authority is complete if its certificate exists.
    _write_key(pki / f"{name}.key", key)
    _write_certificate(pki / f"{name}.crt", builder.sign(key, hashes.SHA256()))


def _issue(pki: Path, leaf: Leaf) -> None:
    authority = x509.load_pem_x509_certificate((pki / f"{leaf.authority}.crt").read_bytes())
    name = f"{leaf.authority}.key"
    signer = certificates.load_key((pki / name).read_bytes(), name)
    key = certificates.new_key()
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    named = certificates.subject(leaf.user, leaf.group)
    builder = certificates.builder(named, authority.subject, key, LEAF_LIFETIME)
    if leaf.hosts:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(certificates.host_names(leaf.hosts), critical=False)
    usage = certificates.usage(signs_certificates=False, signs_data=True)
    certificate = (
        builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(certificates.signed_by(signer), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write_key(pki / f"{leaf.name}.key", key)
    _write_certificate(pki / f"{leaf.name}.crt", certificate)


def _write_key(path: Path, key: certificates.Key) -> None:
    write_atomically(path, certificates.key_pem(key).decode(), mode=0o600)


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    write_atomically(path, certificates.pem(certificate).decode())
