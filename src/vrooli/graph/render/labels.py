"""Places the symbols and labels of arrows without overlapping boxes or each other.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from vrooli.graph.model import Arrow
from vrooli.graph.render.layout import Box
from vrooli.graph.render.routing import Point

SIGN = 9.0
CHARACTER, HEIGHT = 6.2, 15.0
# Candidate positions of a symbol on a segment, from its start.
POSITIONS = (0.5, 0.35, 0.65, 0.2, 0.8)


class LabelPlacement:
    """The position of each arrow's symbol, and of its label if it has one."""

    def __init__(
        self,
        arrows: Iterable[Arrow],
        paths: Mapping[tuple[str, str], Sequence[Point]],
        boxes: Iterable[Box],
    ) -> None:
        self._occupied = list(boxes)
        self.symbols: dict[tuple[str, str], Point] = {}
        self.labels: dict[tuple[str, str], tuple[Point, str]] = {}
        # Labelled arrows first: they need the most space. Then short ones: they have the least.
        for arrow in sorted(arrows, key=lambda item: (not item.label, _length(paths[item.key]))):
            self._place(arrow, paths[arrow.key])

    def _place(self, arrow: Arrow, points: Sequence[Point]) -> None:
        candidates = list(_candidates(arrow.label, points))
        sign, words, anchor, boxes = min(candidates, key=lambda item: self._overlap(item[3]))
        self.symbols[arrow.key] = sign
        if arrow.label:
            self.labels[arrow.key] = (words, anchor)
        self._occupied += boxes

    def _overlap(self, boxes: Sequence[Box]) -> float:
        return sum(_overlap_area(box, other) for box in boxes for other in self._occupied)


def _candidates(
    label: str, points: Sequence[Point]
) -> Iterator[tuple[Point, Point, str, list[Box]]]:
    """Positions of a symbol and its label, best first: the middle of long segments."""
    pieces = sorted(pairwise(points), key=_size, reverse=True)
    for (ax, ay), (bx, by) in pieces:
        for part in POSITIONS:
            x, y = ax + (bx - ax) * part, ay + (by - ay) * part
            sign = Box(x - SIGN, y - SIGN, 2 * SIGN, 2 * SIGN)
            if not label:
                yield (x, y), (x, y), "", [sign]
                continue
            width = len(label) * CHARACTER
            if ay == by:
                above_box = Box(x - width / 2, y - 10 - HEIGHT + 3, width, HEIGHT)
                yield (x, y), (x, y - 11), "middle", [sign, above_box]
                below_box = Box(x - width / 2, y + 9, width, HEIGHT)
                yield (x, y), (x, y + 20), "middle", [sign, below_box]
            else:
                right_box = Box(x + 11, y - HEIGHT / 2, width, HEIGHT)
                yield (x, y), (x + 12, y + 4), "start", [sign, right_box]
                left_box = Box(x - 11 - width, y - HEIGHT / 2, width, HEIGHT)
                yield (x, y), (x - 12, y + 4), "end", [sign, left_box]


def _length(points: Sequence[Point]) -> float:
    return sum(map(_size, pairwise(points)))


def _size(piece: tuple[Point, Point]) -> float:
    (ax, ay), (bx, by) = piece
    return abs(ax - bx) + abs(ay - by)


def _overlap_area(one: Box, other: Box) -> float:
    """The area of the overlap of two boxes."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)
