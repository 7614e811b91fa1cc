"""Tokens in Secrets: those of another cluster's key are removed, and no others."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.cluster.embedded.components import account_tokens

pytestmark = pytest.mark.anyio


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    account_tokens.ensure_key(tmp_path)
    return tmp_path


def secret(name: str, kid: str) -> dict[str, Any]:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": kid}).encode())
    token = base64.b64encode(header.rstrip(b"=") + b".claims.signature").decode()
    metadata = {"name": name, "namespace": "dev"}
    data = {"token": token, "namespace": "ZGV2"}
    return {"kind": "Secret", "metadata": metadata, "type": account_tokens.TYPE, "data": data}


async def test_only_tokens_of_other_keys_are_removed(pki: Path) -> None:
    current = account_tokens.key_id((pki / account_tokens.PUBLIC_KEY).read_bytes())
    pending = {**secret("pending", ""), "data": {}}
    other = {**secret("other", "origin"), "type": "Opaque"}
    cluster = FakeCluster(
        namespace("dev"),
        secret("own", current),
        secret("inherited", "origin"),
        pending,
        other,
        namespace="dev",
    )
    assert await account_tokens.renew(cluster, pki) == []
    assert cluster.changes == [("patch", "Secret", "inherited")]
    assert cluster.body("Secret", "inherited")["data"] == {"namespace": "ZGV2"}
    await account_tokens.renew(cluster, pki)
    assert len(cluster.changes) == 1


@pytest.mark.parametrize("status", [403, 422, 500])
async def test_a_secret_that_cannot_be_changed_is_reported_and_the_others_are_renewed(
    pki: Path, status: int
) -> None:
    cluster = FakeCluster(
        namespace("dev"), secret("immutable", "forged"), secret("inherited", "o"), namespace="dev"
    )
    message = "data: Forbidden: field is immutable\u202e\n" + "x" * 1000
    cluster.failures.add("patch", "Secret", status, message, name="immutable")
    (kept,) = await account_tokens.renew(cluster, pki)
    assert kept.startswith("the Secret dev/immutable keeps an old token: The API server refused")
    assert kept.isprintable()
    assert len(kept) < 400
    assert "token" not in cluster.body("Secret", "inherited")["data"]


async def test_a_secret_that_was_deleted_meanwhile_is_not_reported(pki: Path) -> None:
    cluster = FakeCluster(namespace("dev"), secret("gone", "origin"), namespace="dev")
    cluster.failures.add("patch", "Secret", 404, "not found")
    assert await account_tokens.renew(cluster, pki) == []


def test_a_header_that_is_nested_without_end_has_no_key() -> None:
    header = base64.urlsafe_b64encode(b"[" * 200_000)
    token = base64.b64encode(header + b".claims.signature").decode()
    assert account_tokens.signed_by({"data": {"token": token}}) == ""


@pytest.mark.parametrize("token", ["", "%", "bm90IGEgdG9rZW4=", "e30uYS5i"])
def test_what_is_no_token_has_no_key(token: str) -> None:
    assert account_tokens.signed_by({"data": {"token": token}}) == ""


def test_a_key_lasts(pki: Path) -> None:
    before = [path.read_bytes() for path in sorted(pki.iterdir())]
    account_tokens.ensure_key(pki)
    assert [path.read_bytes() for path in sorted(pki.iterdir())] == before
