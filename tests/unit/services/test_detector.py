"""The NSFW detector with its real model, on drawn pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from support.browser.pictures import drawn_face, landscape
from support.fakes.asgi import asgi_client
from vrooli_detector.app import create_app
from vrooli_detector.model import LABELS, Model, to_input
from vrooli_detector.pictures import UnreadableImageError
from vrooli_detector.verdict import LABELS_DEFAULT, Rule, Settings


@pytest.fixture(scope="module")
def model() -> Model:
    """The model, loaded once."""
    return Model()


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A detector for which a drawn face counts."""
    settings = Settings.read({"DETECTOR_LABELS": "FACE_FEMALE"}, LABELS)
    async with asgi_client(create_app(settings)) as client:
        yield client


def test_the_model_distinguishes_a_face_from_a_landscape(model: Model) -> None:
    """It really looks: the same label scores high on one and low on the other."""
    assert model.scores(drawn_face())["FACE_FEMALE"] > 0.6
    assert model.scores(landscape())["FACE_FEMALE"] < 0.1


def test_drawings_are_not_nsfw_with_the_default_labels(model: Model) -> None:
    """Only uncovered private parts count unless told otherwise."""
    assert not any(Rule().classify(model.scores(p)).is_nsfw for p in (drawn_face(), landscape()))
    assert set(LABELS_DEFAULT) < set(LABELS)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_pictures_of_all_color_modes_are_read(model: Model, mode: str) -> None:
    """Grey, palette, transparent and 16-bit pictures are as good as others."""
    buffer = BytesIO()
    Image.new("RGB", (40, 30), "white").convert("L" if mode == "I;16" else mode).convert(mode).save(
        buffer, "JPEG" if mode == "CMYK" else "PNG"
    )
    assert set(model.scores(buffer.getvalue())) == set(LABELS)


@pytest.mark.parametrize("data", [b"", b"no picture", landscape()[:200]])
def test_invalid_pictures_are_unreadable(model: Model, data: bytes) -> None:
    """Empty, wrong and cut-off data, each."""
    with pytest.raises(UnreadableImageError):
        model.scores(data)


def test_a_narrow_picture_is_not_padded_before_it_is_reduced() -> None:
    """A square of its longer side would take 1 GB."""
    assert to_input(Image.new("RGB", (16000, 1), "white"))[0, :, 0, 319].tolist() == [1, 1, 1]


def test_the_models_input_preserves_the_aspect_ratio() -> None:
    """A wide picture is padded below, not stretched."""
    pixels = to_input(Image.new("RGB", (200, 100), "white"))
    assert pixels.shape == (1, 3, 320, 320)
    assert pixels[0, :, 100, 160].tolist() == [1, 1, 1]
    assert pixels[0, :, 240, 160].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("score", "threshold", "refused", "confidence"),
    [(0.8, 0.5, True, 80.0), (0.2, 0.5, False, 80.0), (0.5, 0.5, True, 50.0), (0.3, 0.2, True, 30)],
)
def test_the_confidence_refers_to_the_verdict(
    *, score: float, threshold: float, refused: bool, confidence: float
) -> None:
    """As the original API has it: of whichever verdict it is, in percent."""
    verdict = Rule(("FACE_MALE",), threshold).classify({"FACE_MALE": score, "ANUS_EXPOSED": 0.99})
    assert (verdict.is_nsfw, verdict.confidence_percentage) == (refused, confidence)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DETECTOR_LABELS", "NOSE"), ("DETECTOR_THRESHOLD", "2"), ("DETECTOR_THREADS", "many")],
)
def test_an_invalid_setting_is_named(variable: str, value: str) -> None:
    """A detector that can't know what counts must not start."""
    with pytest.raises(ValueError, match=variable):
        Settings.read({variable: value}, LABELS)


async def test_the_api_is_compatible_with_the_original(client: httpx.AsyncClient) -> None:
    """The three fields of safe-content-ai 1.1.0, for a refused and for an approved picture."""
    refused = await client.post("/v1/detect", files={"file": ("me.png", drawn_face(), "image/png")})
    assert refused.json() == {
        "file_name": "me.png",
        "is_nsfw": True,
        "confidence_percentage": pytest.approx(76.7, abs=3),
    }
    approved = await client.post("/v1/detect", files={"file": ("a.png", landscape(), "image/png")})
    assert approved.json()["is_nsfw"] is False


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"file": ("a.png", b"no picture", "image/png")}, 422),
        ({"other": ("a.png", landscape(), "image/png")}, 422),
        ({"file": ("a.png", b"0" * 11_000_000, "image/png")}, 413),
    ],
)
async def test_a_request_without_a_usable_picture_is_refused(
    client: httpx.AsyncClient, files: dict[str, tuple[str, bytes, str]], status: int
) -> None:
    """With a sentence in ``detail``, as the original's framework does."""
    answer = await client.post("/v1/detect", files=files)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_a_form_in_another_encoding_is_refused(client: httpx.AsyncClient) -> None:
    """Python's punycode takes minutes for a megabyte."""
    body = b'--b\r\nContent-Disposition: form-data; name="file-"\r\n\r\na-\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b; charset=punycode"}
    answer = await client.post("/v1/detect", content=body, headers=headers)
    assert answer.status_code == 415


async def test_a_long_content_type_is_refused(client: httpx.AsyncClient) -> None:
    """The parser takes half a second for 64 kB."""
    headers = {"Content-Type": "multipart/form-data; boundary=b" + ";" * 60_000}
    answer = await client.post("/v1/detect", content=b"--b--", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (
        415,
        "The Content-Type header is too long.",
    )


async def test_a_client_that_is_gone_when_its_turn_comes_gets_no_verdict() -> None:
    """Its picture would only delay those of others."""
    app = create_app(Settings.read({}, LABELS))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = head + landscape() + b"\r\n--b--\r\n"
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": body},
        {"type": "http.disconnect"},
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = {b"content-length": b"%d" % len(body)}
    headers[b"content-type"] = b"multipart/form-data; boundary=b"
    scope = {"type": "http", "method": "POST", "path": "/v1/detect", "query_string": b""}
    await app({**scope, "headers": list(headers.items())}, receive, send)
    assert sent[0]["status"] == 499
