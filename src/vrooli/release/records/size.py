"""The size of Helm's record of a release, checked before Helm is called.

Helm packs chart, values and objects of a revision into one Secret. It fails on one that is too
large only during the installation, after it has deleted its oldest revision.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterator, Mapping
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
# The parts that an error names, at most, and the share of the largest that each of them has.
NAMED, NAMED_SHARE = 5, 0.1


@dataclass(frozen=True)
class Part:
    """A part of a record.

    Attributes:
        name: What it is, in words.
        size: Its size before it is packed, bytes.
        is_value: Whether it is a part of the values, and not of the chart.
    """

    name: str
    size: int
    is_value: bool = True


@dataclass(frozen=True)
class Size:
    """The size of a record.

    Attributes:
        packed: As Helm stores it, bytes.
        parts: Its parts, the largest first.
    """

    packed: int
    parts: tuple[Part, ...]

    def largest(self) -> list[Part]:
        """The parts that an error names."""
        least = NAMED_SHARE * self.parts[0].size
        return [part for part in self.parts[:NAMED] if part.size >= least]


def measure(chart: Path, values: Mapping[str, Any], rendering: Rendering) -> Size:
    """Pack a record as Helm does, and measure its parts.

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
    return Size(len(packed) + MARGIN, tuple(_sorted_parts(files, values)))


def demand_fitting(
    release: str, chart: Path, values: Mapping[str, Any], rendering: Rendering
) -> None:
    """Refuse a release whose record does not fit into a Secret.

    Raises:
        UsageError: It is too large.
    """
    size = measure(chart, values, rendering)
    if size.packed > LIMIT:
        parts = ", ".join(f"{part.name} ({part.size:,} bytes)" for part in size.largest())
        raise UsageError(
            f"The release {release} is too large: Helm's record of it would have {size.packed:,} "
            f"bytes, compressed and encoded, and a Secret holds {LIMIT:,} (1 MiB). Nothing was "
            f"changed. Its largest parts, before compression: {parts}.",
            _advice(size),
        )


def _advice(size: Size) -> str:
    """What to do, by the kinds of the largest parts."""
    steps = []
    if any(part.is_value for part in size.largest()):
        steps.append(
            "keep large values in a ConfigMap or a Secret of your own, in an image or in a volume"
        )
    if any(not part.is_value for part in size.largest()):
        steps.append("list files that the chart does not need in its .helmignore")
    percent = math.ceil(100 * (size.packed - LIMIT) / size.packed)
    return f"Make the record smaller by {percent} %: {'; '.join(steps)}."


def _sorted_parts(files: Mapping[str, str], values: Mapping[str, Any]) -> list[Part]:
    parts = [
        Part(f"the chart's file {name}", len(text.encode()), is_value=False)
        for name, text in files.items()
    ]
    parts += [
        Part(f"the values' {'.'.join(path)}" if path else "the values", _bytes(value))
        for path, value in _split((), values)
    ]
    return sorted(parts, key=lambda part: -part.size)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _split(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The parts of the values, such as ``config.extra``, with their paths.

    A mapping is split into its keys if one of them has most of its bytes, or if it is the whole.
    """
    if isinstance(value, Mapping) and value:
        largest = max(_bytes(item) for item in value.values())
        if not path or largest >= MAJORITY * _bytes(value):
            for key, item in value.items():
                yield from _split((*path, str(key)), item)
            return
    yield path, value


def _bytes(value: Any) -> int:
    return len(json.dumps(value, default=str).encode())
