"""What the server takes as a post, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from support.browser.pictures import declared_png, landscape
from support.fakes.asgi import asgi_client
from vrooli_server import uploads
from vrooli_server.uploads import picture_type, read_post
from vrooli_shared.settings import Settings
from vrooli_shared.web import HANDLERS

SETTINGS = Settings(redis_sentinel_hosts="rfs", text_max_chars=20, picture_max_bytes=20_000)


async def _echo(request: Request) -> Response:
    text, picture = await read_post(request, SETTINGS)
    return JSONResponse({"text": text, "type": picture and picture.media_type})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that only reads a post."""
    routes = [Route("/", _echo, methods=["POST"])]
    async with asgi_client(Starlette(routes=routes, exception_handlers=HANDLERS)) as client:
        yield client


def _file(data: bytes, media_type: str = "image/png") -> dict[str, tuple[str, bytes, str]]:
    return {"picture": ("a.png", data, media_type)}


async def test_text_and_picture_are_read(client: httpx.AsyncClient) -> None:
    """The text is trimmed; the type is the picture's own, whatever the sender calls it."""
    answer = await client.post("/", data={"text": " hi "}, files=_file(landscape(), "text/html"))
    assert answer.json() == {"text": "hi", "type": "image/png"}


async def test_an_empty_file_input_is_ignored(client: httpx.AsyncClient) -> None:
    """Browsers send an empty part without a name when nothing was chosen."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n'
        b'--b\r\nContent-Disposition: form-data; name="picture"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await client.post("/", content=body, headers=headers)).json() == {
        "text": "hi",
        "type": None,
    }


@pytest.mark.parametrize(
    ("text", "picture", "status", "code"),
    [
        ("", landscape(), 422, "text-missing"),
        ("   ", landscape(), 422, "text-missing"),
        ("x" * 21, landscape(), 422, "text-too-long"),
        ("a\0b", landscape(), 422, "text-not-storable"),
        ("hi", b"GIF89a...", 415, "picture-type"),
        ("hi", b"<svg/>", 415, "picture-type"),
        ("hi", b"", 415, "picture-type"),
        ("hi", b"\x89PNG\r\n\x1a\n" + b"0" * 20_000, 413, "too-large"),
        ("hi", declared_png(100_000, 100_000), 422, "picture-pixels"),
    ],
)
async def test_invalid_posts_are_rejected_with_a_reason(
    client: httpx.AsyncClient, text: str, picture: bytes, status: int, code: str
) -> None:
    """Each refusal has its own name."""
    answer = await client.post("/", data={"text": text}, files=_file(picture))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_body_that_is_not_a_form_is_rejected(client: httpx.AsyncClient) -> None:
    """JSON isn't taken, and the answer says what is."""
    assert (await client.post("/", json={"text": "hi"})).json()["error"]["code"] == "not-multipart"


async def test_a_malformed_form_is_a_client_error(client: httpx.AsyncClient) -> None:
    """Not a 500: whoever sends half a form gets a 400."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await client.post("/", content=b"--wrong\r\n", headers=headers)).status_code in (
        400,
        422,
    )


def _form(text: bytes, charset: str) -> dict[str, Any]:
    body = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + text + b"\r\n--b--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    return {"content": body, "headers": headers}


@pytest.mark.parametrize("charset", ["punycode", '"PUNYCODE"', "utf-7", "unicode_escape", "idna"])
async def test_a_form_in_another_encoding_is_refused(
    client: httpx.AsyncClient, charset: str
) -> None:
    """Python's punycode takes minutes for a megabyte, while no other request is answered."""
    answer = await client.post("/", **_form(b"hi", charset))
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "charset")


async def test_a_long_content_type_is_refused_before_it_is_parsed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser takes half a second for 64 kB."""
    monkeypatch.setattr(uploads, "parse_options_header", None)
    answer = await client.post("/", **_form(b"hi", "utf-8" + ";" * 60_000))
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not-multipart")


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "utf8"])
async def test_a_form_may_name_its_encoding(client: httpx.AsyncClient, charset: str) -> None:
    """Some clients name the encoding that all use."""
    assert (await client.post("/", **_form("é".encode(), charset))).json()["text"] == "é"


@pytest.mark.parametrize(
    ("start", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"", None),
    ],
)
def test_the_picture_type_is_detected_by_magic_bytes(start: bytes, media_type: str | None) -> None:
    """Names and headers can lie."""
    assert picture_type(start) == media_type
