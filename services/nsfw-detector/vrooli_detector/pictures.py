"""Decodes pictures of strangers with bounded memory and time.

A file of some kilobytes can declare a picture of gigabytes. The memory that a decoder needs is
computed from the header, and a picture that needs more than ``MAX_DECODED_BYTES`` is refused before
anything is decoded. What is decoded is reduced before it is converted or rotated.
"""

from __future__ import annotations

import re
from io import BytesIO

from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

# The process with its model takes about 100 MiB, the upload and the server some 30 MiB more; all of
# it stays below 300 MiB.
MAX_DECODED_BYTES = 128 * 2**20
# The bytes per pixel that decoding and reducing take, measured with Pillow 12: its WebP decoder
# always keeps four pictures of four channels.
BYTES_PER_PIXEL = {"PNG": 9.0, "GIF": 13.0, "WEBP": 17.0}
# A picture and its reduced copy have a pointer for each row.
BYTES_PER_ROW = 16
# A JPEG of several scans is kept as coefficients of two bytes at its full size, and Pillow does not
# know the scans of a file before it is decoded; the picture itself is decoded at a reduced size.
COEFFICIENT_BYTES, REDUCED_BYTES = 2.0, 0.5
# Each scan of a JPEG passes over the whole picture and may take few bytes: a file of 5 MiB can have
# 64,000, each of which takes 0.07 s at 53 megapixels. A progressive photograph has about 10.
MAX_SCANS = 64
# The segments of a JPEG; a photograph has about 30, with a large color profile 300.
MAX_SEGMENTS = 1000
# A marker with a segment, or the end; compressed data has only the others (ITU T.81, B.1.1). There,
# libjpeg skips reserved markers without a segment, so they must not hide the ones after them.
MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
START_OF_IMAGE = b"\xff\xd8"  # of a JPEG, also of one with several pictures (MPO)
# Pillow's own limit counts pixels, whatever they take.
Image.MAX_IMAGE_PIXELS = None
# What turns a picture with this orientation upright (Exif 2.3, table 6).
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Compressed texts in a PNG; Pillow's own limit is 64 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 2**20


class UnreadableImageError(ValueError):
    """The data is not a readable picture."""


def read_image(data: bytes, side: int) -> Image.Image:
    """Decode a picture, upright, in RGB, with a longer side of about ``side`` px at most.

    Raises:
        UnreadableImageError: The data is no picture, is incomplete, or needs too much memory.
    """
    if data.startswith(START_OF_IMAGE):  # before Pillow reads all segments
        _require_few_scans(data)
    try:
        with Image.open(BytesIO(data), formats=[*BYTES_PER_PIXEL, "JPEG"]) as image:
            _require_memory(image)
            image.draft("RGB", _draft_size(image, side))  # decodes JPEG at reduced size
            return _upright(_reduced(image, side)).convert("RGB")
    except UnreadableImageError:
        raise
    except (
        UnidentifiedImageError,
        # Decoders raise these, too, on files that are incomplete or contradict themselves.
        *(OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, ZeroDivisionError),
    ) as error:
        raise UnreadableImageError("the picture can't be read") from error


def _require_memory(image: Image.Image) -> None:
    if _decoded_bytes(image) > MAX_DECODED_BYTES:
        raise UnreadableImageError("the picture has too many pixels")


def _require_few_scans(data: bytes) -> None:
    at, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at)
        if found is None or found[1] == END_OF_IMAGE:
            break
        scans += found[1] == START_OF_SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    else:
        raise UnreadableImageError("the picture has too many segments")
    if scans > MAX_SCANS:
        raise UnreadableImageError("the picture has too many scans")


def _decoded_bytes(image: Image.Image) -> float:
    """The memory that decoding and reducing a picture takes at most, bytes."""
    pixels, rows = image.width * image.height, image.height * BYTES_PER_ROW
    if isinstance(image, JpegImageFile):
        samplings = [(horizontal, vertical) for _, horizontal, vertical, _ in image.layer]
        full = max(h for h, _ in samplings) * max(v for _, v in samplings)
        channels = sum(h * v for h, v in samplings) / full
        return pixels * (COEFFICIENT_BYTES * channels + REDUCED_BYTES) + rows
    return pixels * BYTES_PER_PIXEL[image.format or "WEBP"] + rows


def _draft_size(image: Image.Image, side: int) -> tuple[int, int]:
    """The least size to decode: Pillow reduces by the shorter side, so a narrow one not at all."""
    factor = max(1, max(image.size) // side)
    return max(1, image.width // factor), max(1, image.height // factor)


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """The picture with a longer side of ``side`` px at most, in a mode that can be averaged."""
    if image.mode in ("P", "1"):
        image = image.convert("RGB")
    elif image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    image.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def _upright(image: Image.Image) -> Image.Image:
    """The picture as viewers rotate it; ``ImageOps`` fails on other values of Exif than this."""
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    transposition = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if transposition is None else image.transpose(transposition)
