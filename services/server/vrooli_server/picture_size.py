"""The size in pixels that a picture's header declares, and the largest that the detector decodes.

The detector computes the memory of a picture exactly; these limits let everything pass that it may
accept, so that a picture that it can't accept is refused at once.
"""

from __future__ import annotations

import re
import struct

# The detector's limit of memory, divided by the least that a pixel of each format takes
# (vrooli_detector.pictures); a test compares them.
MAX_PIXELS = {"image/png": 14_900_000, "image/webp": 7_890_000, "image/jpeg": 53_600_000}
# The scans of a JPEG: each one passes over the whole picture, and may take few bytes. A progressive
# photograph has about 10. The detector has the same limit; a test compares them.
MAX_SCANS = 64
# The segments of a JPEG; a photograph has about 30, with a large color profile 300. Reading a
# million of them would keep the server from all other requests for a second.
MAX_SEGMENTS = 1000
# The bytes of a WebP file up to the size in its first chunk.
WEBP_BYTES = 30
# The markers that declare the size: SOF0 to SOF15 without DHT, JPG and DAC (ITU T.81, table B.1).
SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
END_OF_IMAGE, START_OF_SCAN, FILL = 0xD9, 0xDA, 0xFF
# A marker with a segment, or the end; compressed data has only the others (T.81, B.1.1). There,
# libjpeg skips reserved markers without a segment, so they must not hide the ones after them.
MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")


def pixel_count(media_type: str, data: bytes) -> int | None:
    """The number of pixels that the header declares, or None if it is not readable."""
    readers = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
    try:
        size = readers[media_type](data)
    except (struct.error, IndexError, ValueError):
        return None
    return size[0] * size[1] if size else None


def has_few_scans(data: bytes) -> bool:
    """Whether a JPEG has few scans and segments; the pictures inside of segments do not count."""
    at, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at)
        if found is None or found[1][0] == END_OF_IMAGE:
            return scans <= MAX_SCANS
        scans += found[1][0] == START_OF_SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False


def _png(data: bytes) -> tuple[int, int]:
    """The size in the chunk IHDR, which is the first one."""
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The size in the first frame header."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        at = data.index(b"\xff", at)
        marker = data[at + 1]
        if marker in SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            return None
        # A marker may be preceded by any number of bytes 0xFF.
        at += 1 if marker == FILL else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    """The size in the first chunk: of the canvas, of a lossless or of a lossy picture."""
    chunk = data[12:16] if len(data) >= WEBP_BYTES else b""
    if chunk == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
