"""The diagrams of a release: nodes in groups, and arrows with the fields that support them.

Frozen data and nothing else: no I/O, no Kubernetes objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vrooli.graph.relations import Relation

# The lines of a node's title, from top to bottom.
Title = tuple[str, ...]


class State(StrEnum):
    """The state of an arrow in the cluster at this moment."""

    ACTIVE = "active"
    IDLE = "idle"
    BROKEN = "broken"
    UNKNOWN = "unknown"


# A state is never shown by colour alone: a symbol and a word accompany it.
SYMBOLS: Mapping[State, str] = {
    State.ACTIVE: "●",
    State.IDLE: "○",
    State.BROKEN: "✕",
    State.UNKNOWN: "?",
}
MEANINGS: Mapping[State, str] = {
    State.ACTIVE: "carries traffic now",
    State.IDLE: "no traffic at the moment, and nothing blocks it",
    State.BROKEN: "cannot carry traffic",
    State.UNKNOWN: "could not be inspected",
}


@dataclass(frozen=True)
class Group:
    """A frame around nodes.

    Attributes:
        title: Its title, unique in its diagram.
        parent: The title of the enclosing frame; empty for an outermost frame.
    """

    title: str
    parent: str = ""


@dataclass(frozen=True)
class Node:
    """One box.

    Attributes:
        id: A short, stable identifier, as in the specification's diagrams.
        title: The text in the box, line by line.
        group: The title of the frame that contains it.
        style: The style class: service, data, secrets, operator, external or files.
        is_store: Whether it is drawn as a cylinder.
    """

    id: str
    title: Title
    group: str
    style: str = "service"
    is_store: bool = False


@dataclass(frozen=True)
class Reason:
    """A field that supports an arrow.

    Attributes:
        object: The object's kind and name, or a file.
        field: The path of the field, such as spec.egress[1]; may be empty.
        value: The field's value, shortened.
    """

    object: str
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        path = f"{self.object} {self.field}".rstrip()
        return f"{path} = {self.value}" if self.value else path


@dataclass(frozen=True)
class Arrow:
    """One arrow.

    Attributes:
        source: The id of the node where it starts.
        target: The id of the node where it ends.
        reasons: The fields that support it.
        label: The text beside it.
        dashed: Whether it is drawn dashed.
        relations: What it represents in the cluster; empty if nothing there corresponds to it.
    """

    source: str
    target: str
    reasons: tuple[Reason, ...]
    label: str = ""
    dashed: bool = False
    relations: tuple[Relation, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Its identifier within its diagram."""
        return self.source, self.target


@dataclass(frozen=True)
class Diagram:
    """One diagram.

    Attributes:
        name: A short, stable name: architecture, connectivity, secrets or delivery.
        title: Its heading.
        direction: Mermaid's direction: TB, TD or LR.
        groups: The frames, outer ones first.
        nodes: The boxes, each in one frame.
        arrows: The arrows between boxes.
    """

    name: str
    title: str
    direction: str
    groups: tuple[Group, ...]
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class ArrowStatus:
    """The state of one arrow in the cluster.

    Attributes:
        state: The state.
        message: The observation that led to it, as text.
    """

    state: State
    message: str


# Keyed by the diagram's name and the arrow's key; arrows without relations have no entry.
ArrowStatuses = Mapping[tuple[str, str, str], ArrowStatus]
