"""Finds the paths of arrows: along a grid, around boxes, apart from each other. No I/O here.

A weighted A* search finds a cheap path; turns, crossings and parallel arrows add to the cost.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from itertools import pairwise

from vrooli.graph.model import Arrow, Diagram
from vrooli.graph.render.layout import Box, Layout, heading_box

STEP = 10.0
CLEARANCE = 1  # cells around a box that only its own arrows may enter
TURN, SHARED, CROSSED, NEAR = 6.0, 16.0, 4.0, 2.5
# The cost of a cell with a frame's heading, or with a border parallel to the path.
HEADED, BORDER = 12.0, 3.0
MOVES = ((1, 0), (0, 1), (-1, 0), (0, -1))
# The weight of the heuristic: the path need not be optimal, and the search is much faster.
HEURISTIC_WEIGHT = 1.3
# The cost of a box side that another arrow already uses.
USED_SIDE = 8.0

Point = tuple[float, float]
Cell = tuple[int, int]
# A cell, and the index of the move that has entered it.
Step = tuple[Cell, int]


def find_routes(diagram: Diagram, layout: Layout) -> dict[tuple[str, str], tuple[Point, ...]]:
    """The corners of every arrow, from edge to edge, by its key."""
    router = _Router(layout)
    # Short arrows first: they have the fewest alternatives.
    ordered = sorted(diagram.arrows, key=lambda arrow: _length(arrow, layout))
    return {arrow.key: router.route(arrow) for arrow in ordered}


def _length(arrow: Arrow, layout: Layout) -> float:
    (ax, ay), (bx, by) = layout.nodes[arrow.source].centre, layout.nodes[arrow.target].centre
    return abs(ax - bx) + abs(ay - by)


class _Router:
    def __init__(self, layout: Layout) -> None:
        self._nodes = layout.nodes
        self._columns = int(layout.width / STEP) + 1
        self._rows = int(layout.height / STEP) + 1
        self._blocked: dict[Cell, str] = {}
        self._used_ends: set[Cell] = set()
        self._prices: dict[tuple[Cell, bool], float] = {}
        for name, box in layout.nodes.items():
            for cell in _cells(box, CLEARANCE):
                self._blocked[cell] = name
        for title, box in layout.groups.items():
            self._frame(title, box)

    def _frame(self, title: str, box: Box) -> None:
        """Arrows avoid a frame's heading, and cross its border instead of following it."""
        for cell in _cells(heading_box(title, box), 0):
            for level in (True, False):
                self._prices[cell, level] = HEADED
        (left, top), (right, bottom) = (
            _cell((box.x, box.y)),
            _cell((box.x + box.width, box.y + box.height)),
        )
        for column in range(left, right + 1):
            for row in (top, bottom):
                self._prices[(column, row), True] = BORDER
        for row in range(top, bottom + 1):
            for column in (left, right):
                self._prices[(column, row), False] = BORDER

    def route(self, arrow: Arrow) -> tuple[Point, ...]:
        """Find the path of one arrow, and reserve it for the arrows that follow."""
        begins = self._ends(arrow.source, self._nodes[arrow.source])
        goals = self._ends(arrow.target, self._nodes[arrow.target])
        own = {arrow.source, arrow.target}
        path = self._search(begins, goals, own)
        if not path:
            return self._nodes[arrow.source].centre, self._nodes[arrow.target].centre
        self._reserve(path)
        self._used_ends |= {path[0], path[-1]}
        points = [begins[path[0]][0], *map(_point, path), goals[path[-1]][0]]
        return tuple(_corner_points(points))

    def _ends(self, name: str, box: Box) -> dict[Cell, tuple[Point, int]]:
        """The cells around a box, with the point on its edge and the move that leaves it."""
        ends: dict[Cell, tuple[Point, int]] = {}
        left, right = _cell((box.x, 0))[0], _cell((box.x + box.width, 0))[0]
        top, bottom = _cell((0, box.y))[1], _cell((0, box.y + box.height))[1]
        reach = CLEARANCE + 1
        for column in range(left + 1, right):
            x = column * STEP
            if box.x + 8 <= x <= box.x + box.width - 8:
                ends[column, top - reach] = ((x, box.y), 3)
                ends[column, bottom + reach] = ((x, box.y + box.height), 1)
        for row in range(top + 1, bottom + 1):
            y = row * STEP
            if box.y + 6 <= y <= box.y + box.height - 6:
                ends[left - reach, row] = ((box.x, y), 2)
                ends[right + reach, row] = ((box.x + box.width, y), 0)
        return {cell: end for cell, end in ends.items() if self._is_inside(cell)}

    def _search(
        self,
        begins: Mapping[Cell, tuple[Point, int]],
        goals: Mapping[Cell, tuple[Point, int]],
        own: set[str],
    ) -> list[Cell]:
        """The cheapest path from one of the begins to one of the goals; empty if there is none."""
        rows, columns = [c[1] for c in goals], [c[0] for c in goals]
        low, high = (min(columns), min(rows)), (max(columns), max(rows))
        begin_costs, goal_costs = self._end_costs(begins), self._end_costs(goals)
        queue: list[tuple[float, float, Cell, int]] = []
        best: dict[Step, float] = {}
        previous: dict[Step, Step | None] = {}
        for cell, (_, move) in begins.items():
            if self._blocked.get(cell, "") in own or cell not in self._blocked:
                cost = begin_costs[cell]
                best[cell, move], previous[cell, move] = cost, None
                heapq.heappush(queue, (cost + _remaining_cost(cell, low, high), cost, cell, move))
        finished: Step | None = None
        limit = float("inf")
        while queue:
            estimate, cost, cell, move = heapq.heappop(queue)
            if estimate >= limit:
                break
            if cost > best[cell, move]:
                continue
            if cell in goals:
                # It must enter opposite to the direction that leaves the box here.
                turn = 0.0 if (move + 2) % 4 == goals[cell][1] else TURN
                total = cost + turn + goal_costs[cell]
                if total < limit:
                    limit, finished = total, (cell, move)
            for near, index, price in self._next_steps(cell, move):
                new = cost + price
                if new < best.get((near, index), float("inf")):
                    best[near, index], previous[near, index] = new, (cell, move)
                    estimate = new + _remaining_cost(near, low, high)
                    heapq.heappush(queue, (estimate, new, near, index))
        return _trace(finished, previous)

    def _next_steps(self, cell: Cell, move: int) -> Iterator[tuple[Cell, int, float]]:
        """The free cells around a cell that a move has entered, each with its move and its cost."""
        for index, (dx, dy) in enumerate(MOVES):
            if (index + 2) % 4 == move:
                continue
            near = (cell[0] + dx, cell[1] + dy)
            if not self._is_inside(near) or near in self._blocked:
                continue
            turn = TURN if index != move else 0
            yield near, index, 1 + turn + self._prices.get((near, index % 2 == 0), 0.0)

    def _end_costs(self, ends: Mapping[Cell, tuple[Point, int]]) -> dict[Cell, float]:
        """The cost of each end: higher near other ends and near the corners of a side."""
        costs: dict[Cell, float] = {}
        for side in range(len(MOVES)):
            cells = [cell for cell, (_, move) in ends.items() if move == side]
            axis = 1 if side % 2 == 0 else 0
            along = [cell[axis] for cell in cells]
            middle = (min(along) + max(along)) / 2 if along else 0.0
            used = [cell[axis] for cell in cells if cell in self._used_ends]
            for cell in cells:
                congestion = sum(USED_SIDE / (1 + abs(other - cell[axis])) for other in used)
                costs[cell] = abs(cell[axis] - middle) * 0.35 + congestion
        return costs

    def _reserve(self, path: list[Cell]) -> None:
        """Raise the cost of these cells for paths along, across or next to them."""
        raise_price = self._raise_price
        for before, after in pairwise(path):
            level = before[1] == after[1]
            sides = ((0, 1), (0, -1)) if level else ((1, 0), (-1, 0))
            for column, row in (before, after):
                raise_price((column, row), level, SHARED / 2)
                raise_price((column, row), not level, CROSSED / 2)
                for dx, dy in sides:
                    raise_price((column + dx, row + dy), level, NEAR / 2)

    def _raise_price(self, cell: Cell, level: bool, price: float) -> None:
        self._prices[cell, level] = self._prices.get((cell, level), 0.0) + price

    def _is_inside(self, cell: Cell) -> bool:
        return 0 < cell[0] < self._columns and 0 < cell[1] < self._rows


def _trace(last: Step | None, previous: Mapping[Step, Step | None]) -> list[Cell]:
    """The path that ends with a step."""
    path: list[Cell] = []
    while last is not None:
        path.append(last[0])
        last = previous[last]
    return path[::-1]


def _remaining_cost(cell: Cell, low: Cell, high: Cell) -> float:
    """The lower bound of the remaining cost: the distance to the area of the goals."""
    dx = max(low[0] - cell[0], 0, cell[0] - high[0])
    dy = max(low[1] - cell[1], 0, cell[1] - high[1])
    return (dx + dy) * HEURISTIC_WEIGHT


def _cells(box: Box, clear: int) -> list[Cell]:
    left, top = _cell((box.x, box.y))
    right, bottom = _cell((box.x + box.width, box.y + box.height))
    return [
        (column, row)
        for column in range(left - clear, right + clear + 1)
        for row in range(top - clear, bottom + clear + 1)
    ]


def _cell(point: Point) -> Cell:
    return round(point[0] / STEP), round(point[1] / STEP)


def _point(cell: Cell) -> Point:
    return cell[0] * STEP, cell[1] * STEP


def _corner_points(points: list[Point]) -> list[Point]:
    """The points where the path turns."""
    corners = [points[0]]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        straight = (before[0] == here[0] == after[0]) or (before[1] == here[1] == after[1])
        if not straight:
            corners.append(here)
    return [*corners, points[-1]]
