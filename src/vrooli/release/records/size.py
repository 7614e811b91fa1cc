"""The size of Helm's record of a release, checked before Helm is called.

Helm packs chart, values and objects of a revision into one Secret. It fails on one that is too
large only during the installation, after it has deleted its oldest revision.
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
from vrooli.chart.engine import Rendering
from vrooli.errors import UsageError

# The API server's limit of one Secret's data (MaxSecretSize of Kubernetes' core/v1), bytes.
LIMIT = 1024 * 1024
# What Helm adds that is not measured here (labels, notes, times), bytes.
MARGIN = 8 * 1024
# A part of the values is followed downward while it has this share of the part above it.
MAJORITY = 0.5


@dataclass(frozen=True)
class Size:
    """The size of a record.

    Attributes:
        packed: As Helm stores it, bytes.
        largest: The largest part, in words.
        largest_bytes: The size of that part before it is packed, bytes.
    """

    packed: int
    largest: str
    largest_bytes: int


def measure(chart: Path, values: Mapping[str, Any], rendering: Rendering) -> Size:
    """Pack a record as Helm does, and find its largest part.

    Args:
        chart: The chart.
        values: The values.
        rendering: What the chart renders to with these values.

    Raises:
        UsageError: The chart can't be loaded.
    """
    try:
        with helm_python.Chart.load(chart) as loaded:
            files = {item["name"]: str(item["data"]) for item in (*loaded.templates, *loaded.files)}
            schema, defaults = json.dumps(loaded.schema), loaded.values
    except helm_python.HelmError as error:
        raise engine.to_usage_error(error) from error
    # Go writes bytes as base64 into JSON; Helm writes the values twice, its own and the chart's.
    encoded = {name: _base64(text) for name, text in files.items()}
    record = {
        "chart": {"files": encoded, "values": defaults, "schema": _base64(schema)},
        "config": values,
        "manifest": rendering.texts,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(record, default=str).encode()))
    parts = {
        **{f"the chart's file {name}": len(text) for name, text in files.items()},
        **dict([_largest(values)]),
    }
    largest = max(parts, key=lambda name: parts[name])
    return Size(len(packed) + MARGIN, largest, parts[largest])


def demand_fitting(
    release: str, chart: Path, values: Mapping[str, Any], rendering: Rendering
) -> None:
    """Refuse a release whose record does not fit into a Secret.

    Raises:
        UsageError: It is too large.
    """
    size = measure(chart, values, rendering)
    if size.packed > LIMIT:
        raise UsageError(
            f"The release {release} is too large: Helm's record of it would have {size.packed:,} "
            f"bytes, compressed, and a Secret holds {LIMIT:,} (1 MiB). Nothing was changed. The "
            f"largest part is {size.largest}, with {size.largest_bytes:,} bytes.",
            "Make that part smaller: keep large files out of the values, in an image or a volume.",
        )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _largest(values: Mapping[str, Any]) -> tuple[str, int]:
    """The part of the values with most of their bytes, such as ``config.extra``."""
    path: list[str] = []
    part: Any = values
    size = _bytes(values)
    while isinstance(part, Mapping) and part:
        name = max(part, key=lambda key: _bytes(part[key]))
        if _bytes(part[name]) < MAJORITY * size:
            break
        path.append(str(name))
        part, size = part[name], _bytes(part[name])
    return f"the values' {'.'.join(path)}" if path else "the values", size


def _bytes(value: Any) -> int:
    return len(json.dumps(value, default=str).encode())
