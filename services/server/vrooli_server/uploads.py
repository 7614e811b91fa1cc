"""Validation of posts: length of the text, size and type of the picture."""

from __future__ import annotations

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.requests import Request

from vrooli_server import picture_size
from vrooli_shared.posts import Picture
from vrooli_shared.settings import Settings
from vrooli_shared.web import ApiError, too_large

# The names of the only encoding of forms. Starlette decodes with any codec of Python that a client
# names, and that of `punycode` takes minutes for a megabyte.
ENCODINGS = frozenset((b"utf-8", b"utf8"))
# The parser takes half a second for 64 kB of semicolons. A boundary has at most 70 characters (RFC
# 2046).
MAX_CONTENT_TYPE = 256


def picture_type(data: bytes) -> str | None:
    """The media type by magic bytes, or None; names and headers are not trusted."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


async def read_post(request: Request, settings: Settings) -> tuple[str, Picture | None]:
    """The text and the picture of a multipart request.

    Raises:
        ApiError: Something is missing, too long, too large or of an unsupported type.
    """
    content_type = request.headers.get("content-type", "")
    is_form = content_type.startswith("multipart/form-data")
    if not is_form or len(content_type) > MAX_CONTENT_TYPE:
        raise ApiError(415, "not-multipart", "Send multipart/form-data with text and picture.")
    if parse_options_header(content_type)[1].get(b"charset", b"utf-8").lower() not in ENCODINGS:
        raise ApiError(415, "charset", "The form must be in UTF-8.")
    async with request.form(max_files=1, max_fields=4) as form:
        text = _text(form.get("text"), settings.text_max_chars)
        return text, await _picture(form.get("picture"), settings.picture_max_bytes)


def _text(field: UploadFile | str | None, max_chars: int) -> str:
    text = field.strip() if isinstance(field, str) else ""
    if not text:
        raise ApiError(422, "text-missing", "The text is missing.")
    if len(text) > max_chars:
        raise ApiError(422, "text-too-long", f"The text exceeds {max_chars} characters.")
    if "\0" in text:
        raise ApiError(422, "text-not-storable", "The text must not contain the character U+0000.")
    return text


async def _picture(field: UploadFile | str | None, max_bytes: int) -> Picture | None:
    if field is None or field == "":
        return None
    if isinstance(field, str):
        raise ApiError(422, "picture-no-file", "The field 'picture' must be a file.")
    if field.size == 0 and not field.filename:
        return None  # sent by browsers for an empty file input
    data = await field.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    media_type = picture_type(data)
    if media_type is None:
        raise ApiError(415, "picture-type", "The picture must be a PNG, JPEG or WebP file.")
    if (picture_size.pixel_count(media_type, data) or 0) > picture_size.MAX_PIXELS[media_type]:
        limit = picture_size.MAX_PIXELS[media_type] / 1e6
        raise ApiError(422, "picture-pixels", f"The limit for this type is {limit:.1f} megapixels.")
    if media_type == "image/jpeg" and not picture_size.has_few_scans(data):
        message = f"The limit is {picture_size.MAX_SCANS} scans. Save the picture as a plain JPEG."
        raise ApiError(422, "picture-scans", message)
    return Picture(media_type, data)
