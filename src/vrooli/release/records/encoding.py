"""The encoding of Helm's record of a revision in a Secret: unpack it, pack it. No I/O here."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

# Records have a few hundred KB; what unpacks to more is not one of Helm's, bytes.
LARGEST = 16 * 1024 * 1024
# The exceptions of a record that can't be unpacked.
ERRORS = (zlib.error, ValueError, TypeError, RecursionError)


def unpack(value: str) -> Mapping[str, Any]:
    """Unpack ``data.release`` of a Secret.

    Raises:
        zlib.error, ValueError, TypeError, RecursionError: It is not a record, see ``ERRORS``.
    """
    packed = base64.b64decode(base64.b64decode(value, validate=True), validate=True)
    decompressor = zlib.decompressobj(wbits=31)
    unpacked = decompressor.decompress(packed, LARGEST)
    if not decompressor.eof:
        raise ValueError("it is truncated, or too large for a record of Helm")
    content = json.loads(unpacked)
    if not isinstance(content, Mapping):
        raise TypeError("it is not a record of Helm")
    return content


def pack(content: Mapping[str, Any]) -> str:
    """Pack a record as ``data.release`` of a Secret: base64 of Helm in base64 of Kubernetes."""
    packed = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()
