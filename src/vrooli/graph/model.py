"""Pictures of a release: nodes in groups, and arrows with the fields that support them.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# The lines of a node's title are written below each other.
Title = tuple[str, ...]


class State(StrEnum):
    """How an arrow is in the cluster, right now."""

    ACTIVE = "active"
    IDLE = "idle"
    BROKEN = "broken"
    UNSEEN = "unseen"


# A state is never told by colour alone: a sign and a word go with it.
SIGNS: Mapping[State, str] = {
    State.ACTIVE: "●",
    State.IDLE: "○",
    State.BROKEN: "✕",
    State.UNSEEN: "?",
}
MEANINGS: Mapping[State, str] = {
    State.ACTIVE: "carries traffic now",
    State.IDLE: "nothing at this moment, and nothing in its way",
    State.BROKEN: "can't carry anything",
    State.UNSEEN: "could not be looked at",
}


@dataclass(frozen=True)
class Group:
    """A frame around nodes.

    Attributes:
        title: Its title, by which it is known in its diagram.
        parent: The frame around it, by its title; empty for the outermost.
    """

    title: str
    parent: str = ""


@dataclass(frozen=True)
class Node:
    """One box.

    Attributes:
        id: Short and stable, the diagrams' own.
        title: What stands in it, line by line.
        group: The title of the frame that it is in.
        style: What colours it: service, data, secrets, external, files.
        is_store: Whether it is drawn as a store.
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
        object: What holds it: an object's kind and name, or a file.
        field: Its path there, such as spec.egress[1]; may be empty.
        value: What stands there, shortened.
    """

    object: str
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        said = f"{self.object} {self.field}".rstrip()
        return f"{said} = {self.value}" if self.value else said


@dataclass(frozen=True)
class Party:
    """Pods that belong together: one end of an arrow in the cluster.

    Attributes:
        title: What a person calls it.
        labels: What its pods are selected by.
        roles: Values of which one label must have one: its key and the values.
        namespace: Where they are; empty for the release's own namespace.
        workload: Its kind and name, where the release names it.
        services: Services that lead to it, and whose addresses stand for it.
        ports: Where it listens.
        host: Its address outside the cluster; then nothing else is known of it.
    """

    title: str
    labels: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, tuple[str, ...]] | None = None
    namespace: str = ""
    workload: tuple[str, str] | None = None
    services: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    host: str = ""


@dataclass(frozen=True)
class Calls:
    """The source opens connections to the target."""

    source: Party
    target: Party


@dataclass(frozen=True)
class Passes:
    """An Ingress controller passes requests on to a target; none means that it takes them."""

    ingress: str
    class_name: str
    namespaces: tuple[str, ...]
    targets: tuple[Party, ...]
    entrance: bool = False


@dataclass(frozen=True)
class Syncs:
    """Vault's operator keeps a Secret like Vault's."""

    name: str
    secret: str
    refresh: str


@dataclass(frozen=True)
class Publishes:
    """The rotator makes a Secret that pods read from the one that Vault's operator fills."""

    source: str
    secret: str
    rotator: Party


@dataclass(frozen=True)
class Trusts:
    """An object by which Vault's operator finds Vault, or proves who it is."""

    kind: str
    name: str


@dataclass(frozen=True)
class Asks:
    """Vault's operator asks Vault."""

    address: str


@dataclass(frozen=True)
class Reads:
    """Pods read a Secret or a ConfigMap, at their start.

    Attributes:
        kind: Secret or ConfigMap.
        names: Which.
        reader: Whose pods.
        pull: Whether only images are pulled with it.
    """

    kind: str
    names: tuple[str, ...]
    reader: Party
    pull: bool = False


@dataclass(frozen=True)
class Consists:
    """An operator's resource has these pods."""

    kind: str
    name: str
    part: Party


Way = Calls | Passes | Syncs | Publishes | Trusts | Asks | Reads | Consists


@dataclass(frozen=True)
class Arrow:
    """One arrow.

    Attributes:
        source: The id of the node that it leaves.
        target: The id of the node that it leads to.
        reasons: What supports it.
        label: What stands beside it.
        dashed: Whether it is drawn dashed.
        ways: What it is in the cluster; none where it is nothing there.
    """

    source: str
    target: str
    reasons: tuple[Reason, ...]
    label: str = ""
    dashed: bool = False
    ways: tuple[Way, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by in its diagram."""
        return self.source, self.target


@dataclass(frozen=True)
class Diagram:
    """One picture.

    Attributes:
        name: Short and stable: architecture, connectivity, secrets or delivery.
        title: Its heading.
        direction: Mermaid's: TB, TD or LR.
        groups: Frames, outer ones first.
        nodes: Boxes, each in one frame.
        arrows: Arrows between them.
    """

    name: str
    title: str
    direction: str
    groups: tuple[Group, ...]
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class Judgement:
    """How an arrow is, and why.

    Attributes:
        state: How it is.
        why: What was seen, in words.
    """

    state: State
    why: str


# By diagram's name and the arrow's key; arrows that are nothing in a cluster have none.
Judgements = Mapping[tuple[str, str, str], Judgement]


@dataclass
class Sketch:
    """A diagram in the making: takes what is named once, and leaves out what nothing supports."""

    name: str
    title: str
    direction: str
    groups: tuple[Group, ...]
    nodes: dict[str, Node] = field(default_factory=dict)
    arrows: dict[tuple[str, str], Arrow] = field(default_factory=dict)

    def node(self, id_: str, title: Title, group: str, style: str, *, store: bool = False) -> str:
        """Add a box, unless it is there; returns its id."""
        self.nodes.setdefault(id_, Node(id_, title, group, style, store))
        return id_

    def arrow(
        self,
        source: str,
        target: str,
        reasons: tuple[Reason, ...],
        *ways: Way,
        label: str = "",
        dashed: bool = False,
    ) -> None:
        """Add an arrow if something supports it; what supports it once more is added to it."""
        if not reasons:
            return
        known = self.arrows.get((source, target))
        if known is not None:
            reasons = tuple(dict.fromkeys((*known.reasons, *reasons)))
            ways = tuple(dict.fromkeys((*known.ways, *ways)))
            label, dashed = known.label, known.dashed
        self.arrows[source, target] = Arrow(source, target, reasons, label, dashed, ways)

    def done(self) -> Diagram:
        """The diagram; arrows whose ends aren't there, and empty frames, are left out."""
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
