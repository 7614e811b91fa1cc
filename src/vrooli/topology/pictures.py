"""The four diagrams of the specification, of one release."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.chart.manifest import Manifest
from vrooli.topology import architecture, connectivity, delivery, facts, secretflow
from vrooli.topology.model import Diagram

DRAWN = {
    "architecture": architecture.diagram,
    "connectivity": connectivity.diagram,
    "secrets": secretflow.diagram,
    "delivery": delivery.diagram,
}


def diagrams(manifests: Iterable[Manifest], names: Iterable[str] = DRAWN) -> tuple[Diagram, ...]:
    """The pictures of a release's objects, all four or those that are named."""
    known = facts.read(manifests)
    return tuple(DRAWN[name](known) for name in names)
