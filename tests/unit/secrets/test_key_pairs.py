"""Pairs of keys of Vrooli's own server: generated whole, and only if both are missing."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from support.vrooli_stand_ins.values import SECRETS
from vrooli.secrets import key_pairs


def test_each_key_that_the_server_requires_is_generated() -> None:
    assert set(SECRETS) == key_pairs.NAMES
    assert set(key_pairs.generate_missing(SECRETS, ())) == set(SECRETS)


def test_the_keys_of_logins_sign_and_verify_with_rs256() -> None:
    values = key_pairs.generate_missing(["JWT_PRIV"], ())
    private = serialization.load_pem_private_key(values["JWT_PRIV"].encode(), None)
    public = serialization.load_pem_public_key(values["JWT_PUB"].encode())
    assert isinstance(private, rsa.RSAPrivateKey)
    assert isinstance(public, rsa.RSAPublicKey)
    signature = private.sign(b"token", padding.PKCS1v15(), hashes.SHA256())
    public.verify(signature, b"token", padding.PKCS1v15(), hashes.SHA256())
    assert private.key_size >= 2048


def test_the_keys_of_push_notifications_are_a_number_and_its_point_in_base64url() -> None:
    values = key_pairs.generate_missing(["VAPID_PUBLIC_KEY"], ())
    number, point = (
        base64.urlsafe_b64decode(values[name] + "=" * (-len(values[name]) % 4))
        for name in ("VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY")
    )
    private = ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())
    assert (
        private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        == point
    )
    assert (len(number), len(point)) == (32, 65)


@pytest.mark.parametrize("present", ["JWT_PRIV", "JWT_PUB"])
def test_one_key_is_never_added_to_another(present: str) -> None:
    assert key_pairs.generate_missing(["JWT_PRIV", "JWT_PUB"], [present]) == {}


def test_pairs_that_nothing_reads_are_not_generated() -> None:
    assert key_pairs.generate_missing(["DB_PASSWORD"], ()) == {}
