"""Pairs of keys that Vrooli's own server requires, generated where values read them.

The reference services need none of them, so they are no part of the five secrets in catalog.py. The
lines are those of Vrooli/Vrooli at commit ed9369dbc.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

# RS256 (packages/server/src/auth/jwt.ts 216) requires at least this length.
RSA_BITS = 2048


@dataclass(frozen=True)
class KeyPair:
    """A pair of keys that are only valid together.

    Attributes:
        private: The name of the private key in the secret.
        public: The name of the public key in the secret.
        title: Its form, for users.
        generate: Makes a new pair: the private and the public key.
    """

    private: str
    public: str
    title: str
    generate: Callable[[], tuple[str, str]]

    @property
    def names(self) -> frozenset[str]:
        """The names of both keys."""
        return frozenset({self.private, self.public})


def _signing_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode().strip(), public.decode().strip()


def _push_pair() -> tuple[str, str]:
    """A pair in the form of RFC 8292: the number and the uncompressed point, in base64url."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_numbers().private_value.to_bytes(32, "big")
    public = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return _base64url(private), _base64url(public)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


PAIRS = (
    KeyPair("JWT_PRIV", "JWT_PUB", "an RSA key pair in PEM, which signs logins", _signing_pair),
    KeyPair(
        "VAPID_PRIVATE_KEY",
        "VAPID_PUBLIC_KEY",
        "a VAPID key pair in base64url, which signs push notifications",
        _push_pair,
    ),
)
NAMES = frozenset[str]().union(*(pair.names for pair in PAIRS))


def find_halves(read: Collection[str], present: Collection[str]) -> list[str]:
    """The keys that have a value without the other of their pair, which values read.

    Args:
        read: The keys that values read.
        present: The keys that have a value.
    """
    pairs = [pair.names & set(present) for pair in PAIRS if pair.names & set(read)]
    return sorted(name for names in pairs if len(names) == 1 for name in names)


def generate_missing(read: Collection[str], present: Collection[str]) -> dict[str, str]:
    """New values by key, for the pairs that are read and of which no key is present.

    One key of a pair is never added: it would not fit the other.

    Args:
        read: The keys that values read.
        present: The keys that have a value.
    """
    values: dict[str, str] = {}
    for pair in PAIRS:
        if pair.names & set(read) and not pair.names & set(present):
            values[pair.private], values[pair.public] = pair.generate()
    return values
