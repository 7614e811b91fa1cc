"""How large Helm's note of a release becomes, told before Helm is asked.

Helm packs chart, values and objects of a revision into one Secret, and finds out while it installs
that this is too large: by then it has deleted its oldest revision to make room.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python

from vrooli.chart import engine
from vrooli.errors import UsageError

# What the API server takes of one Secret's data (MaxSecretSize of Kubernetes' core/v1), bytes.
LIMIT = 1024 * 1024
# What Helm adds that isn't counted here (labels, notes, times), bytes.
MARGIN = 8 * 1024
# A part of the values is followed downward while it has so much of what is above it.
MOST_OF = 0.5


@dataclass(frozen=True)
class Size:
    """How large a note becomes.

    Attributes:
        packed: As Helm stores it, bytes.
        largest: The largest part, in words.
        largest_bytes: What that has before it is packed, bytes.
    """

    packed: int
    largest: str
    largest_bytes: int


def measure(chart: Path, values: Mapping[str, Any], *, release: str, namespace: str) -> Size:
    """Pack a note as Helm does, and find its largest part.

    Raises:
        UsageError: The chart refuses the values.
    """
    try:
        with helm_python.Chart.load(chart) as loaded:
            files = {item["name"]: str(item["data"]) for item in (*loaded.templates, *loaded.files)}
            schema, defaults = json.dumps(loaded.schema), loaded.values
            objects = loaded.render(dict(values), name=release, namespace=namespace)
    except helm_python.HelmError as error:
        raise engine.refusal(error) from error
    # Go writes bytes as base64 into JSON; Helm writes the values twice, its own and the chart's.
    coded = {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}
    note = {
        "chart": {"files": coded, "values": defaults, "schema": _coded(schema)},
        "config": values,
        "manifest": objects,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(note, default=str).encode()))
    parts = {
        **{f"the chart's file {name}": len(text) for name, text in files.items()},
        **dict([_largest(values)]),
    }
    largest = max(parts, key=lambda name: parts[name])
    return Size(len(packed) + MARGIN, largest, parts[largest])


def demand_fitting(chart: Path, values: Mapping[str, Any], *, release: str, namespace: str) -> None:
    """Refuse what Helm could not store.

    Raises:
        UsageError: It is too large, or the chart refuses the values.
    """
    size = measure(chart, values, release=release, namespace=namespace)
    if size.packed > LIMIT:
        raise UsageError(
            f"The release {release} is too large: Helm's note of it would have {size.packed:,} "
            f"bytes, compressed, and a Secret holds {LIMIT:,} (1 MiB). Nothing was changed. The "
            f"largest part is {size.largest}, with {size.largest_bytes:,} bytes.",
            "Make that part smaller: keep large files out of the values, in an image or a volume.",
        )


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _largest(values: Mapping[str, Any]) -> tuple[str, int]:
    """The part of the values that has most of their bytes, such as ``config.extra``."""
    path: list[str] = []
    part: Any = values
    size = _bytes(values)
    while isinstance(part, Mapping) and part:
        name = max(part, key=lambda key: _bytes(part[key]))
        if _bytes(part[name]) < MOST_OF * size:
            break
        path.append(str(name))
        part, size = part[name], _bytes(part[name])
    return f"the values' {'.'.join(path)}" if path else "the values", size


def _bytes(value: Any) -> int:
    return len(json.dumps(value, default=str).encode())
