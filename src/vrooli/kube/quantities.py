"""Quantities of the Kubernetes API. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)")
_BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)}
_DECIMAL = {letter: 1000**power for power, letter in enumerate("kMGTPE", start=1)}
_SUFFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, **_BINARY, **_DECIMAL}

Amounts = dict[str, float]


def number(text: object) -> float:
    """A quantity such as 250m, 1.5 or 2Gi as a number."""
    match = _QUANTITY.fullmatch(str(text).strip())
    if match is None or match[2] not in _SUFFIXES:
        raise ValueError(f"{text!r} is no quantity")
    return float(match[1]) * float(_SUFFIXES[match[2]])


def amounts(quantities: Mapping[str, Any] | None) -> Amounts:
    """Quantities by resource as numbers."""
    return {name: number(text) for name, text in (quantities or {}).items()}


def requests(resources: Mapping[str, Any] | None) -> Amounts:
    """What a container requests; a limit is the default of its request."""
    specified = resources or {}
    return {**amounts(specified.get("limits")), **amounts(specified.get("requests"))}


def total(*parts: Mapping[str, float]) -> Amounts:
    """The sum of each resource."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def most(*parts: Mapping[str, float]) -> Amounts:
    """The maximum of each resource."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: max(part.get(name, 0.0) for part in parts) for name in names}


def of_pod(spec: Mapping[str, Any]) -> Amounts:
    """The requests that the scheduler counts: all containers, or the largest init container."""
    running = total(*(requests(item.get("resources")) for item in spec.get("containers") or []))
    first = (requests(item.get("resources")) for item in spec.get("initContainers") or [])
    return total(most(running, *first), amounts(spec.get("overhead")))


def format_amounts(resources: Mapping[str, float]) -> str:
    """CPU and memory as text for people."""
    memory = resources.get("memory", 0.0) / 1024**2
    return f"{resources.get('cpu', 0.0) * 1000:.0f}m CPU, {memory:.0f}Mi memory"
