"""Rendering the chart with a few values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.chart import engine
from vrooli.chart.manifest import Manifest

# The Go module's PGO accepts this version of PostgreSQL at most.
LOCAL_POSTGRES = {"pgoPostgresql": {"postgresVersion": 15}}


def render(values: Mapping[str, Any] | None = None, release: str = "demo") -> dict[str, Manifest]:
    """The chart's objects with some values, by "Kind/name"."""
    result = engine.render(values or {}, release=release, namespace="somewhere")
    by_key = {manifest.key: manifest for manifest in result}
    assert len(by_key) == len(result), "two objects have the same kind and name"
    return by_key
