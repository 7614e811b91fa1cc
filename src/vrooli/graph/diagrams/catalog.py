"""The four diagrams of the specification, of one release."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.chart.manifest import Manifest
from vrooli.graph.diagrams import architecture, connectivity, delivery, secrets
from vrooli.graph.manifests import facts
from vrooli.graph.model import Diagram

BUILDERS = {
    "architecture": architecture.build,
    "connectivity": connectivity.build,
    "secrets": secrets.build,
    "delivery": delivery.build,
}


def build_diagrams(
    manifests: Iterable[Manifest], names: Iterable[str] = BUILDERS
) -> tuple[Diagram, ...]:
    """The diagrams of a release: all four, or those with the given names."""
    release_facts = facts.build_facts(manifests)
    return tuple(BUILDERS[name](release_facts) for name in names)
