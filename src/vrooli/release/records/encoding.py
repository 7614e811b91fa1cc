"""How Helm packs its note of a revision into a Secret: unpack it, pack it again. No I/O here."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

# Notes are a few hundred KB; what unpacks to more is none of Helm's, bytes.
LARGEST = 16 * 1024 * 1024
# What a note that can't be unpacked raises.
ERRORS = (zlib.error, ValueError, TypeError, RecursionError)


def unpack(value: str) -> Mapping[str, Any]:
    """The note that ``data.release`` of a Secret holds.

    Raises:
        zlib.error, ValueError, TypeError, RecursionError: It is none, see ``ERRORS``.
    """
    packed = base64.b64decode(base64.b64decode(value, validate=True), validate=True)
    unpacking = zlib.decompressobj(wbits=31)
    unpacked = unpacking.decompress(packed, LARGEST)
    if not unpacking.eof:
        raise ValueError("it is cut off, or larger than any of Helm's")
    noted = json.loads(unpacked)
    if not isinstance(noted, Mapping):
        raise TypeError("it is no note of Helm's")
    return noted


def pack(noted: Mapping[str, Any]) -> str:
    """A note as ``data.release`` of a Secret holds it: in base64 by Helm, and by Kubernetes."""
    packed = gzip.compress(json.dumps(noted, separators=(",", ":")).encode(), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()
