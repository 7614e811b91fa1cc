"""Rendering the chart with a few values."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from vrooli import project
from vrooli.chart import engine
from vrooli.chart.manifest import Manifest

# The Go module's PGO accepts this version of PostgreSQL at most.
LOCAL_POSTGRES = {"pgoPostgresql": {"postgresVersion": 15}}


def render(values: Mapping[str, Any] | None = None, release: str = "demo") -> dict[str, Manifest]:
    """The chart's objects with some values, by "Kind/name"."""
    result = render_once(values or {}, release=release, namespace="somewhere")
    by_key = {manifest.key: manifest for manifest in result}
    assert len(by_key) == len(result), "two objects have the same kind and name"
    return by_key


def render_once(values: Mapping[str, Any], *, release: str, namespace: str) -> tuple[Manifest, ...]:
    """Like `engine.render`, but equal values are rendered once; the objects are the caller's."""
    saved = _rendered(json.dumps(values), release, namespace, project.chart_dir())
    result: tuple[Manifest, ...] = pickle.loads(saved)  # noqa: S301 - made below
    return result


@lru_cache(64)
def _rendered(values: str, release: str, namespace: str, chart: Path) -> bytes:
    rendered = engine.render(json.loads(values), release=release, namespace=namespace, chart=chart)
    return pickle.dumps(rendered)
