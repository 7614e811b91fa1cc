"""Writes diagrams as SVG: a file with its own style, or a part of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vrooli import inert
from vrooli.graph.model import SYMBOLS, Arrow, ArrowStatus, ArrowStatuses, Diagram, Node
from vrooli.graph.render.labels import LabelPlacement
from vrooli.graph.render.layout import FONT, HEADING, LINE, Box, Layout, compute_layout, heading_box
from vrooli.graph.render.routing import Point, find_routes

ROUND = 8.0
TITLE_ROW = 44.0
LEGEND_ROW = 34.0
STYLE = Path(__file__).with_name("assets") / "picture.css"


def render(diagrams: Iterable[Diagram], statuses: ArrowStatuses) -> str:
    """One SVG file with each diagram below its title."""
    parts, width, y = [], 0.0, 0.0
    for diagram in diagrams:
        placed = _compute_drawing(diagram).layout
        title = f'<text class="title" x="26" y="{y + 30:.0f}">{inert.html(diagram.title)}</text>'
        inner = f'<g transform="translate(0 {y + TITLE_ROW:.0f})">{_body(diagram, statuses)}</g>'
        parts += [title, inner]
        width, y = max(width, placed.width), y + TITLE_ROW + placed.height
    if statuses:
        parts.append(_legend(y))
        y += LEGEND_ROW
    style = STYLE.read_text(encoding="utf-8")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="whole" role="img" '
        f'viewBox="0 0 {width:.0f} {y:.0f}" width="{width:.0f}" height="{y:.0f}">\n'
        f"<style>\n{style}</style>\n"
        f'<rect class="paper" width="{width:.0f}" height="{y:.0f}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def render_embedded(diagram: Diagram, statuses: ArrowStatuses) -> str:
    """One diagram as SVG without a style, for the page."""
    placed = _compute_drawing(diagram).layout
    return (
        f'<svg class="picture" role="group" aria-label="{inert.html(diagram.title)}" '
        f'viewBox="0 0 {placed.width:.0f} {placed.height:.0f}" '
        f'style="max-width:{placed.width:.0f}px">\n{_body(diagram, statuses)}\n</svg>'
    )


@dataclass(frozen=True)
class _Drawing:
    """The positions in a diagram, which do not depend on states."""

    layout: Layout
    paths: Mapping[tuple[str, str], Sequence[Point]]
    labels: LabelPlacement


def precompute(diagrams: Iterable[Diagram]) -> None:
    """Compute the positions in advance, since it is slow; later renderings use the cache."""
    for diagram in diagrams:
        _compute_drawing(diagram)


@lru_cache(maxsize=16)
def _compute_drawing(diagram: Diagram) -> _Drawing:
    placed = compute_layout(diagram)
    paths = find_routes(diagram, placed)
    headings = [heading_box(title, box) for title, box in placed.groups.items()]
    labels = LabelPlacement(diagram.arrows, paths, [*placed.nodes.values(), *headings])
    return _Drawing(placed, paths, labels)


def _body(diagram: Diagram, statuses: ArrowStatuses) -> str:
    drawing = _compute_drawing(diagram)
    placed = drawing.layout
    groups = [
        _group(group.title, placed.groups[group.title], outer=not group.parent)
        for group in diagram.groups
    ]
    arrows = [
        _arrow(diagram.name, arrow, drawing, statuses.get((diagram.name, *arrow.key)))
        for arrow in diagram.arrows
    ]
    nodes = [_node(node, placed.nodes[node.id]) for node in diagram.nodes]
    return "\n".join([*groups, *arrows, *nodes])


def _group(title: str, box: Box, *, outer: bool) -> str:
    kind = "group outer" if outer else "group"
    return (
        f'<g class="{kind}"><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="12"/>'
        f'<text x="{box.x + 16:.1f}" y="{box.y + HEADING - 4:.1f}">{inert.html(title)}</text></g>'
    )


def _node(node: Node, box: Box) -> str:
    x, y = box.centre
    first = y - (len(node.title) - 1) * LINE / 2 + FONT * 0.36 + (4 if node.is_store else 0)
    lines = [
        f'<text class="{"name" if index == 0 else "more"}" x="{x:.1f}" '
        f'y="{first + index * LINE:.1f}">{inert.html(line)}</text>'
        for index, line in enumerate(node.title)
    ]
    shape = _store(box) if node.is_store else _rectangle(box)
    name = inert.html(node.id)
    return f'<g class="node {node.style}" data-node="{name}">{shape}{"".join(lines)}</g>'


def _rectangle(box: Box) -> str:
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="8"/>'
    )


def _store(box: Box) -> str:
    """A cylinder."""
    top, bottom, half = box.y + 7, box.y + box.height - 7, box.width / 2
    left, right = f"{box.x:.1f}", f"{box.x + box.width:.1f}"
    arc = f"A{half:.1f} 7 0 0"
    return (
        f'<path d="M{left} {top:.1f}{arc} 1 {right} {top:.1f}V{bottom:.1f}'
        f'{arc} 1 {left} {bottom:.1f}Z"/>'
        f'<path class="lid" d="M{left} {top:.1f}{arc} 0 {right} {top:.1f}"/>'
    )


def _arrow(name: str, arrow: Arrow, drawing: _Drawing, status: ArrowStatus | None) -> str:
    state = status.state.value if status else "none"
    kind = "arrow dashed" if arrow.dashed else "arrow"
    tooltip = inert.html(format_tooltip(arrow, status))
    points, (x, y) = drawing.paths[arrow.key], drawing.labels.symbols[arrow.key]
    key = inert.html(f"{name}/{arrow.source}/{arrow.target}")
    line = _line(points)
    symbol = SYMBOLS[status.state] if status else ""
    return (
        f'<g class="{kind} {state}" data-arrow="{key}" tabindex="0" role="img" '
        f'aria-label="{tooltip}"><title>{tooltip}</title>'
        f'<path class="hit" d="{line}"/><path class="line" d="{line}"/>{_head(points)}'
        f"{_label(arrow, drawing.labels)}"
        f'<g class="badge" transform="translate({x:.1f} {y:.1f})">'
        f'<circle r="8"/><text y="4">{symbol}</text></g></g>'
    )


def format_tooltip(arrow: Arrow, status: ArrowStatus | None) -> str:
    """The tooltip of an arrow."""
    lines = [f"{arrow.source} to {arrow.target}" + (f" ({arrow.label})" if arrow.label else "")]
    if status:
        lines.append(f"{status.state.value}: {status.message}")
    return "\n".join([*lines, *(f"because of {reason}" for reason in arrow.reasons)])


def _line(points: Sequence[Point]) -> str:
    """Straight segments with round corners."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _towards(here, before), _towards(here, after)
        path.append(f"L{ax:.1f} {ay:.1f}Q{here[0]:.1f} {here[1]:.1f} {bx:.1f} {by:.1f}")
    return "".join([*path, f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"])


def _towards(here: Point, other: Point) -> Point:
    """A point on the segment near its start, at most its middle."""
    dx, dy = other[0] - here[0], other[1] - here[1]
    length = max(abs(dx), abs(dy)) or 1.0
    part_ = min(ROUND, length / 2) / length
    return here[0] + dx * part_, here[1] + dy * part_


def _head(points: Sequence[Point]) -> str:
    (ax, ay), (bx, by) = points[-2], points[-1]
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 or 1.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    left = (bx - ux * 9 - uy * 4.5, by - uy * 9 + ux * 4.5)
    right = (bx - ux * 9 + uy * 4.5, by - uy * 9 - ux * 4.5)
    return (
        f'<path class="head" d="M{bx:.1f} {by:.1f}L{left[0]:.1f} {left[1]:.1f}'
        f'L{right[0]:.1f} {right[1]:.1f}Z"/>'
    )


def _label(arrow: Arrow, labels: LabelPlacement) -> str:
    if arrow.key not in labels.labels:
        return ""
    (x, y), anchor = labels.labels[arrow.key]
    return (
        f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{inert.html(arrow.label)}</text>"
    )


def _legend(y: float) -> str:
    return "".join(
        f'<g class="arrow {state.value}" transform="translate({34 + index * 130} {y + 14:.0f})">'
        f'<g class="badge"><circle r="8"/><text y="4">{sign}</text></g>'
        f'<text class="legend" x="14" y="4">{state.value}</text></g>'
        for index, (state, sign) in enumerate(SYMBOLS.items())
    )
