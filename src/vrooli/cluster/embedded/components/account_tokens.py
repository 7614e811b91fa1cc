"""The key that signs the tokens of service accounts, and the tokens that it has not signed.

Pods get a token of the current key when they start. A Secret of the type
``kubernetes.io/service-account-token`` keeps its token for ever: in a fork, that of the origin's
key, which the API server of the fork refuses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization

from vrooli import certificates, inert
from vrooli.files import write_atomically
from vrooli.kube import ApiError, Kube
from vrooli.kube.objects import Body, name, text

KEY, PUBLIC_KEY = "service-accounts.key", "service-accounts.pub"
TYPE = "kubernetes.io/service-account-token"
# The length of an API server's message in a report, characters.
REFUSAL = 300


def ensure_key(pki: Path) -> None:
    """Create the key once: without it, all tokens are invalid."""
    if (pki / PUBLIC_KEY).exists():
        return
    key = certificates.new_key()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_atomically(pki / KEY, certificates.key_pem(key).decode(), mode=0o600)
    write_atomically(pki / PUBLIC_KEY, public.decode())


async def renew(kube: Kube, pki: Path) -> list[str]:
    """Remove tokens of other keys from Secrets; the controller manager then writes new ones.

    Whoever may create Secrets can make one that cannot be changed, or whose token is forged: such
    a Secret must not stop the start of the cluster.

    Returns:
        The Secrets that keep their token, with the reasons, as text.
    """
    current = key_id((pki / PUBLIC_KEY).read_bytes())
    secrets = await kube.list("v1", "Secret", fields=f"type={TYPE}")
    outdated = [secret for secret in secrets if signed_by(secret) not in ("", current)]
    kept = []
    for secret in outdated:
        namespace = secret["metadata"]["namespace"]
        try:
            await kube.patch("v1", "Secret", name(secret), namespace, {"data": {"token": None}})
        except ApiError as error:
            if error.status != httpx.codes.NOT_FOUND:  # not deleted meanwhile
                refusal = inert.line(error.message)[:REFUSAL]
                kept.append(f"the Secret {namespace}/{name(secret)} keeps an old token: {refusal}")
    return kept


def key_id(pem: bytes) -> str:
    """The ID of a public key in tokens (Kubernetes: pkg/serviceaccount/jwt.go)."""
    der = serialization.load_pem_public_key(pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def signed_by(secret: Body) -> str:
    """The ID of the key that signed the token in a Secret; empty if it has no token yet."""
    try:
        header = base64.b64decode(text(secret, "data", "token")).partition(b".")[0]
        padded = header + b"=" * (-len(header) % 4)
        return str(json.loads(base64.urlsafe_b64decode(padded))["kid"])
    except (binascii.Error, ValueError, LookupError, TypeError, RecursionError):
        return ""
