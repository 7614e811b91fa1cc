"""Where boxes and frames of a diagram stand: layers inside layers. No I/O here.

Each frame is laid out by itself: what arrows lead from stands before what they lead to, and within
a layer the order follows the neighbours. How arrows run between the boxes is routing's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vrooli.graph.model import Diagram, Node

# Sizes are pixels. A character of the font is taken wider than it is: titles must fit anywhere.
CHARACTER, LINE, FONT = 7.0, 17.0, 12.5
PAD_X, PAD_Y, LEAST = 14.0, 10.0, 96.0
MARGIN, HEADING = 26.0, 26.0
# Between the boxes of one layer, and between layers: arrows run and have their signs there.
BESIDE, BETWEEN = 38.0, 80.0
SWEEPS = 8
# Which way a frame's layers follow each other, by depth; the last holds for all below.
WAYS: Mapping[str, tuple[str, ...]] = {
    "architecture": ("down", "right", "down"),
    "connectivity": ("right", "right"),
    "secrets": ("right", "right", "right"),
    "delivery": ("right", "down", "down"),
}
# Frames whose contents run another way than their depth's.
OTHERWISE: Mapping[tuple[str, str], str] = {
    ("architecture", "External Access"): "right",
    ("connectivity", "Data Persistence"): "right",
    ("delivery", "Helm Chart Structure"): "right",
    ("delivery", "Kubernetes Resources Created"): "right",
    ("delivery", "Testing & Validation"): "right",
}
DEFAULT = ("down", "right")


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Box:
        """The same, further right and down."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    Attributes:
        width: Of the whole.
        height: Of the whole.
        nodes: Each box, by its id.
        groups: Each frame, by its title.
    """

    width: float
    height: float
    nodes: Mapping[str, Box]
    groups: Mapping[str, Box]


@dataclass(frozen=True)
class _Placed:
    """A frame's contents, around its own origin."""

    width: float
    height: float
    boxes: Mapping[str, Box]


def layout(diagram: Diagram) -> Layout:
    """Place a diagram's boxes and frames."""
    placed = _Placer(diagram).frame("", 0)
    nodes = {node.id: placed.boxes[node.id] for node in diagram.nodes}
    groups = {
        group.title: placed.boxes[_frame(group.title)]
        for group in diagram.groups
        if _frame(group.title) in placed.boxes
    }
    return Layout(placed.width, placed.height, nodes, groups)


def size(node: Node) -> tuple[float, float]:
    """How large a node's box is."""
    longest = max((len(line) for line in node.title), default=0)
    width = max(LEAST, longest * CHARACTER + 2 * PAD_X)
    return width, max(1, len(node.title)) * LINE + 2 * PAD_Y + (8 if node.is_store else 0)


def heading(title: str, box: Box) -> Box:
    """Where a frame's title stands."""
    return Box(box.x + 10, box.y + 8, len(title) * CHARACTER, HEADING - 10)


def _frame(title: str) -> str:
    """A frame's key among boxes; no node's id has a space."""
    return f"frame {title}"


class _Placer:
    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._parents = {
            **{node.id: node.group for node in diagram.nodes},
            **{_frame(group.title): group.parent for group in diagram.groups},
        }

    def frame(self, title: str, depth: int) -> _Placed:
        """Lay out what is directly in a frame, inner frames first."""
        children = [key for key, parent in self._parents.items() if parent == title]
        inner = {key: self._child(key, depth) for key in children}
        across = self._way(title, depth) == "right"
        layers = _layers(children, self._edges(title, children))
        placed = _arrange(layers, inner, across=across)
        top = HEADING if title else 0.0
        boxes = {}
        for key, (x, y) in placed.items():
            part = inner[key]
            left, down = x + MARGIN, y + MARGIN + top
            if key.startswith("frame "):
                boxes[key] = Box(left, down, part.width, part.height)
            boxes.update({name: box.moved(left, down) for name, box in part.boxes.items()})
        width = max((placed[k][0] + inner[k].width for k in children), default=0.0)
        height = max((placed[k][1] + inner[k].height for k in children), default=0.0)
        width = max(width, len(title) * CHARACTER * 1.05)
        return _Placed(width + 2 * MARGIN, height + 2 * MARGIN + top, boxes)

    def _child(self, key: str, depth: int) -> _Placed:
        if key.startswith("frame "):
            return self.frame(key.removeprefix("frame "), depth + 1)
        node = next(item for item in self._diagram.nodes if item.id == key)
        width, height = size(node)
        return _Placed(width, height, {key: Box(0, 0, width, height)})

    def _way(self, title: str, depth: int) -> str:
        ways = WAYS.get(self._diagram.name, DEFAULT)
        return OTHERWISE.get((self._diagram.name, title), ways[min(depth, len(ways) - 1)])

    def _edges(self, title: str, children: Sequence[str]) -> list[tuple[str, str]]:
        """The arrows as they run between a frame's own children."""
        found = []
        for arrow in self._diagram.arrows:
            ends = self._child_of(title, arrow.source), self._child_of(title, arrow.target)
            if ends[0] != ends[1] and ends[0] in children and ends[1] in children:
                found.append(ends)
        return found

    def _child_of(self, title: str, key: str) -> str:
        """Which child of a frame holds a node; empty if none does."""
        while key and self._parents.get(key, "") != title:
            parent = self._parents.get(key, "")
            key = _frame(parent) if parent else ""
        return key


def _layers(children: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Children in layers: whatever is pointed at comes later, where arrows don't run in circles."""
    weights: dict[tuple[str, str], int] = {}
    for edge in edges:
        weights[edge] = weights.get(edge, 0) + 1
    # Of two directions the heavier one decides.
    kept = {(a, b) for (a, b), n in weights.items() if n >= weights.get((b, a), 0)}
    kept = {(a, b) for a, b in kept if (b, a) not in kept or a < b}
    rank = dict.fromkeys(children, 0)
    for _ in children:
        for a, b in kept:
            rank[b] = min(max(rank[b], rank[a] + 1), len(children) - 1)
    # What only points stands right before what it points at.
    for child in reversed(children):
        targets = [rank[b] for a, b in kept if a == child]
        if targets and not any(b == child for _, b in kept):
            rank[child] = max(rank[child], min(targets) - 1)
    used = sorted(set(rank.values()))
    layers = [[child for child in children if rank[child] == at] for at in used]
    return _ordered(layers, kept)


def _ordered(layers: list[list[str]], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Each layer in the order of its neighbours' places."""
    known = list(edges)
    for sweep in range(SWEEPS):
        ordered = layers if sweep % 2 == 0 else layers[::-1]
        for layer in ordered:
            places = {
                child: index / max(1, len(item) - 1)
                for item in layers
                for index, child in enumerate(item)
            }
            layer.sort(key=lambda child: _wanted(child, places, known))
    return layers


def _wanted(child: str, places: Mapping[str, float], edges: Iterable[tuple[str, str]]) -> float:
    near = [places[b] for a, b in edges if a == child] + [places[a] for a, b in edges if b == child]
    return sum(near) / len(near) if near else places[child]


def _arrange(
    layers: list[list[str]], inner: Mapping[str, _Placed], *, across: bool
) -> dict[str, tuple[float, float]]:
    """The places of children, layer after layer, each centred."""
    lengths = []
    for layer in layers:
        sizes = [inner[key].height if across else inner[key].width for key in layer]
        lengths.append(sum(sizes) + BESIDE * (len(layer) - 1))
    longest = max(lengths, default=0.0)
    places: dict[str, tuple[float, float]] = {}
    forward = 0.0
    for layer, length in zip(layers, lengths, strict=True):
        beside = (longest - length) / 2
        deepest = max(inner[key].width if across else inner[key].height for key in layer)
        for key in layer:
            part = inner[key]
            slack = (deepest - (part.width if across else part.height)) / 2
            places[key] = (forward + slack, beside) if across else (beside, forward + slack)
            beside += (part.height if across else part.width) + BESIDE
        forward += deepest + BETWEEN
    return places
