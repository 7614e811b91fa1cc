"""The header `Idempotency-Key`, and what it is remembered with."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from vrooli_server.idempotency import LENGTH_MAX, read_key
from vrooli_shared.idempotency import fingerprint
from vrooli_shared.posts import Picture
from vrooli_shared.web import ApiError


def _request(*keys: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"idempotency-key", key) for key in keys]})


@pytest.mark.parametrize("header", [b"8e03978e", b'"8e03978e"', b' "8e03978e" '])
def test_a_key_is_an_optionally_quoted_string(header: bytes) -> None:
    key = read_key(_request(header), "text", None)
    assert key is not None
    assert key.value == "8e03978e"


def test_a_request_without_the_header_has_no_key() -> None:
    assert read_key(_request(), "text", None) is None


@pytest.mark.parametrize(
    "headers",
    [
        (b"",),
        (b'""',),
        (b'"open',),
        (b"a b",),
        (b"\xe4",),
        (b"x" * (LENGTH_MAX + 1),),
        (b"a", b"b"),
    ],
)
def test_invalid_headers_are_rejected(headers: tuple[bytes, ...]) -> None:
    with pytest.raises(ApiError) as caught:
        read_key(_request(*headers), "text", None)
    assert (caught.value.status_code, caught.value.code) == (400, "idempotency-key")


def test_a_fingerprint_separates_text_and_picture() -> None:
    picture = Picture("image/png", b"data")
    digests = [
        read_key(_request(b"k"), text, shown)
        for text, shown in (("a", None), ("b", None), ("a", picture), ("aimage/png", None))
    ]
    assert len({key.fingerprint for key in digests if key}) == len(digests)
    assert fingerprint(b"ab", b"c") != fingerprint(b"a", b"bc")
