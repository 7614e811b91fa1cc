"""Builds a diagram step by step. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field

from vrooli.graph.model import Arrow, Diagram, Group, Node, Reason, Title
from vrooli.graph.relations import Relation


@dataclass
class DiagramBuilder:
    """Collects nodes and arrows; merges duplicates and drops arrows without a reason."""

    name: str
    title: str
    direction: str
    groups: tuple[Group, ...]
    nodes: dict[str, Node] = field(default_factory=dict)
    arrows: dict[tuple[str, str], Arrow] = field(default_factory=dict)

    def add_node(
        self, id_: str, title: Title, group: str, style: str, *, store: bool = False
    ) -> str:
        """Add a box unless it exists; returns its id."""
        self.nodes.setdefault(id_, Node(id_, title, group, style, store))
        return id_

    def add_arrow(
        self,
        source: str,
        target: str,
        reasons: tuple[Reason, ...],
        *relations: Relation,
        label: str = "",
        dashed: bool = False,
    ) -> None:
        """Add an arrow if it has reasons; an existing arrow is extended."""
        if not reasons:
            return
        existing = self.arrows.get((source, target))
        if existing is not None:
            reasons = tuple(dict.fromkeys((*existing.reasons, *reasons)))
            relations = tuple(dict.fromkeys((*existing.relations, *relations)))
            label, dashed = existing.label, existing.dashed
        self.arrows[source, target] = Arrow(source, target, reasons, label, dashed, relations)

    def build(self) -> Diagram:
        """The diagram, without arrows whose ends do not exist and without empty frames."""
        arrows = tuple(
            arrow
            for arrow in self.arrows.values()
            if arrow.source in self.nodes and arrow.target in self.nodes
        )
        used = {node.group for node in self.nodes.values()}
        for group in reversed(self.groups):
            if group.title in used and group.parent:
                used.add(group.parent)
        groups = tuple(group for group in self.groups if group.title in used)
        return Diagram(
            self.name, self.title, self.direction, groups, tuple(self.nodes.values()), arrows
        )
