"""The four diagrams of the specification, of one release."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.chart.manifest import Manifest
from vrooli.graph.diagrams import architecture, connectivity, delivery, secrets
from vrooli.graph.manifests import facts
from vrooli.graph.model import Diagram

DRAWN = {
    "architecture": architecture.diagram,
    "connectivity": connectivity.diagram,
    "secrets": secrets.diagram,
    "delivery": delivery.diagram,
}


def diagrams(manifests: Iterable[Manifest], names: Iterable[str] = DRAWN) -> tuple[Diagram, ...]:
    """The pictures of a release's objects, all four or those that are named."""
    known = facts.read(manifests)
    return tuple(DRAWN[name](known) for name in names)
