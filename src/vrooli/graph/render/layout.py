"""Computes the positions of boxes and frames: nested layers. No I/O here.

Each frame is laid out separately: the source of an arrow is in an earlier layer than its target,
and the order within a layer follows the neighbours. The paths of arrows belong in routing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vrooli.graph.model import Diagram, Node

# Sizes are pixels. Characters are counted wider than they are, so that titles fit in any font.
CHARACTER, LINE, FONT = 7.0, 17.0, 12.5
PAD_X, PAD_Y, MIN_WIDTH = 14.0, 10.0, 96.0
MARGIN, HEADING = 26.0, 26.0
# Gaps between the boxes of a layer and between layers, for arrows and their symbols.
SIBLING_GAP, LAYER_GAP = 38.0, 80.0
ORDERING_PASSES = 8
# The direction of a frame's layers, by depth; the last one also applies to deeper frames.
DIRECTIONS: Mapping[str, tuple[str, ...]] = {
    "architecture": ("down", "right", "down"),
    "connectivity": ("right", "right"),
    "secrets": ("right", "right", "right"),
    "delivery": ("right", "down", "down"),
}
# Frames with another direction than that of their depth.
DIRECTION_OVERRIDES: Mapping[tuple[str, str], str] = {
    ("architecture", "External Access"): "right",
    ("connectivity", "Data Persistence"): "right",
    ("delivery", "Helm Chart Structure"): "right",
    ("delivery", "Kubernetes Resources Created"): "right",
    ("delivery", "Testing & Validation"): "right",
}
DEFAULT_DIRECTIONS = ("down", "right")


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Box:
        """The box, moved right and down."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Layout:
    """The positions of all boxes and frames.

    Attributes:
        width: The total width.
        height: The total height.
        nodes: The boxes, by node id.
        groups: The frames, by title.
    """

    width: float
    height: float
    nodes: Mapping[str, Box]
    groups: Mapping[str, Box]


@dataclass(frozen=True)
class _Placed:
    """A frame's contents, relative to its own origin."""

    width: float
    height: float
    boxes: Mapping[str, Box]


def compute_layout(diagram: Diagram) -> Layout:
    """Place a diagram's boxes and frames."""
    placed = _LayoutBuilder(diagram).frame("", 0)
    nodes = {node.id: placed.boxes[node.id] for node in diagram.nodes}
    groups = {
        group.title: placed.boxes[_frame_key(group.title)]
        for group in diagram.groups
        if _frame_key(group.title) in placed.boxes
    }
    return Layout(placed.width, placed.height, nodes, groups)


def node_size(node: Node) -> tuple[float, float]:
    """The width and height of a node's box."""
    longest = max((len(line) for line in node.title), default=0)
    width = max(MIN_WIDTH, longest * CHARACTER + 2 * PAD_X)
    return width, max(1, len(node.title)) * LINE + 2 * PAD_Y + (8 if node.is_store else 0)


def heading_box(title: str, box: Box) -> Box:
    """The area of a frame's title."""
    return Box(box.x + 10, box.y + 8, len(title) * CHARACTER, HEADING - 10)


def _frame_key(title: str) -> str:
    """A frame's key among boxes; no node's id has a space."""
    return f"frame {title}"


class _LayoutBuilder:
    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._parents = {
            **{node.id: node.group for node in diagram.nodes},
            **{_frame_key(group.title): group.parent for group in diagram.groups},
        }

    def frame(self, title: str, depth: int) -> _Placed:
        """Lay out what is directly in a frame, inner frames first."""
        children = [key for key, parent in self._parents.items() if parent == title]
        inner = {key: self._child(key, depth) for key in children}
        across = self._direction(title, depth) == "right"
        layers = _layers(children, self._edges(title, children))
        placed = _arrange(layers, inner, across=across)
        top = HEADING if title else 0.0
        boxes = {}
        for key, (x, y) in placed.items():
            part = inner[key]
            x_offset, y_offset = x + MARGIN, y + MARGIN + top
            if key.startswith("frame "):
                boxes[key] = Box(x_offset, y_offset, part.width, part.height)
            boxes.update({name: box.moved(x_offset, y_offset) for name, box in part.boxes.items()})
        width = max((placed[k][0] + inner[k].width for k in children), default=0.0)
        height = max((placed[k][1] + inner[k].height for k in children), default=0.0)
        width = max(width, len(title) * CHARACTER * 1.05)
        return _Placed(width + 2 * MARGIN, height + 2 * MARGIN + top, boxes)

    def _child(self, key: str, depth: int) -> _Placed:
        if key.startswith("frame "):
            return self.frame(key.removeprefix("frame "), depth + 1)
        node = next(item for item in self._diagram.nodes if item.id == key)
        width, height = node_size(node)
        return _Placed(width, height, {key: Box(0, 0, width, height)})

    def _direction(self, title: str, depth: int) -> str:
        directions = DIRECTIONS.get(self._diagram.name, DEFAULT_DIRECTIONS)
        return DIRECTION_OVERRIDES.get(
            (self._diagram.name, title), directions[min(depth, len(directions) - 1)]
        )

    def _edges(self, title: str, children: Sequence[str]) -> list[tuple[str, str]]:
        """The arrows between a frame's direct children."""
        edges = []
        for arrow in self._diagram.arrows:
            ends = self._child_of(title, arrow.source), self._child_of(title, arrow.target)
            if ends[0] != ends[1] and ends[0] in children and ends[1] in children:
                edges.append(ends)
        return edges

    def _child_of(self, title: str, key: str) -> str:
        """The child of a frame that contains a node; empty if there is none."""
        while key and self._parents.get(key, "") != title:
            parent = self._parents.get(key, "")
            key = _frame_key(parent) if parent else ""
        return key


def _layers(children: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Children in layers: the target of an arrow is in a later layer, except in cycles."""
    weights: dict[tuple[str, str], int] = {}
    for edge in edges:
        weights[edge] = weights.get(edge, 0) + 1
    # Of two opposite directions the one with more arrows decides.
    dominant = {(a, b) for (a, b), n in weights.items() if n >= weights.get((b, a), 0)}
    dominant = {(a, b) for a, b in dominant if (b, a) not in dominant or a < b}
    rank = dict.fromkeys(children, 0)
    for _ in children:
        for a, b in dominant:
            rank[b] = min(max(rank[b], rank[a] + 1), len(children) - 1)
    # A child without incoming arrows is placed directly before its first target.
    for child in reversed(children):
        targets = [rank[b] for a, b in dominant if a == child]
        if targets and not any(b == child for _, b in dominant):
            rank[child] = max(rank[child], min(targets) - 1)
    used = sorted(set(rank.values()))
    layers = [[child for child in children if rank[child] == level] for level in used]
    return _ordered(layers, dominant)


def _ordered(layers: list[list[str]], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Each layer, sorted by the average position of its neighbours."""
    edge_list = list(edges)
    for pass_number in range(ORDERING_PASSES):
        ordered = layers if pass_number % 2 == 0 else layers[::-1]
        for layer in ordered:
            positions = {
                child: index / max(1, len(item) - 1)
                for item in layers
                for index, child in enumerate(item)
            }
            layer.sort(key=lambda child: _neighbour_position(child, positions, edge_list))
    return layers


def _neighbour_position(
    child: str, positions: Mapping[str, float], edges: Iterable[tuple[str, str]]
) -> float:
    neighbours = [positions[b] for a, b in edges if a == child] + [
        positions[a] for a, b in edges if b == child
    ]
    return sum(neighbours) / len(neighbours) if neighbours else positions[child]


def _arrange(
    layers: list[list[str]], inner: Mapping[str, _Placed], *, across: bool
) -> dict[str, tuple[float, float]]:
    """The positions of children, layer by layer, each centred."""
    lengths = []
    for layer in layers:
        sizes = [inner[key].height if across else inner[key].width for key in layer]
        lengths.append(sum(sizes) + SIBLING_GAP * (len(layer) - 1))
    longest = max(lengths, default=0.0)
    positions: dict[str, tuple[float, float]] = {}
    along_offset = 0.0
    for layer, length in zip(layers, lengths, strict=True):
        across_offset = (longest - length) / 2
        deepest = max(inner[key].width if across else inner[key].height for key in layer)
        for key in layer:
            part = inner[key]
            slack = (deepest - (part.width if across else part.height)) / 2
            positions[key] = (
                (along_offset + slack, across_offset)
                if across
                else (across_offset, along_offset + slack)
            )
            across_offset += (part.height if across else part.width) + SIBLING_GAP
        along_offset += deepest + LAYER_GAP
    return positions
