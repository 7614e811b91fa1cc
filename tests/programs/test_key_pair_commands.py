"""The commands of docs/vrooli.md make the same pairs of keys as `vrooli develop`."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vrooli import project
from vrooli.secrets import key_pairs

PAGE = project.root() / "docs" / "vrooli.md"


@pytest.fixture
def made(tmp_path: Path) -> dict[str, str]:
    """The value of each key that the commands make, as `vault` reads them."""
    text = PAGE.read_text()
    commands = re.findall(r"^    (umask .*|openssl .*)$", text, re.MULTILINE)
    assert len(commands) == 6
    script = "\n".join(["set -euo pipefail", *commands])
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    files = dict(re.findall(r"(\w+)=@(\S+)", text))
    return {name: (tmp_path / file).read_text() for name, file in files.items()}


def test_the_commands_make_the_pairs_that_develop_generates(made: dict[str, str]) -> None:
    assert made.keys() == key_pairs.NAMES
    private = serialization.load_pem_private_key(made["JWT_PRIV"].encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode() == made["JWT_PUB"]
    number, point = (
        base64.urlsafe_b64decode(made[name] + "=" * (-len(made[name]) % 4))
        for name in ("VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY")
    )
    key = ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())
    assert (
        key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        == point
    )
    lengths = {name: len(value) for name, value in made.items() if name.startswith("VAPID")}
    generated = key_pairs.generate_missing(["VAPID_PUBLIC_KEY"], ())
    assert lengths == {name: len(value) for name, value in generated.items()}
