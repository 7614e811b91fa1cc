"""Helm's notes as their Secrets hold them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any


def packed(record: Any) -> str:
    """A release record, encoded as in ``data.release`` of its Secret."""
    return twice(gzip.compress(json.dumps(record).encode()))


def twice(raw: bytes) -> str:
    """Bytes in base64 by Helm, and once more by Kubernetes."""
    return base64.b64encode(base64.b64encode(raw)).decode()


def unpacked(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The release record in a Secret."""
    raw = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    result: dict[str, Any] = json.loads(gzip.decompress(raw))
    return result
