"""Writes diagrams as Mermaid text, and several as one Markdown page. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli import inert
from vrooli.graph.model import SYMBOLS, Arrow, ArrowStatus, ArrowStatuses, Diagram, Node, State

NODE_STYLES = {
    "service": "fill:#e1f5fe,color:#1a1a1a",
    "data": "fill:#fff3e0,color:#1a1a1a",
    "secrets": "fill:#f3e5f5,color:#1a1a1a",
    "operator": "fill:#ffe0b2,color:#1a1a1a",
    "external": "fill:#e8f5e8,color:#1a1a1a",
    "files": "fill:#fce4ec,color:#1a1a1a",
}
LINE_STYLES = {
    State.ACTIVE: "stroke:#2e7d32,stroke-width:3px",
    State.IDLE: "stroke:#78909c,stroke-width:1px",
    State.BROKEN: "stroke:#c62828,stroke-width:3px",
    State.UNKNOWN: "stroke:#9e9e9e,stroke-width:1px",
}


def markdown(diagrams: Iterable[Diagram], statuses: ArrowStatuses) -> str:
    """A Markdown page with each diagram under its heading."""
    parts = (
        f"## {inert.line(item.title)}\n\n```mermaid\n{render(item, statuses)}```\n"
        for item in diagrams
    )
    return "\n".join(parts)


def render(diagram: Diagram, statuses: ArrowStatuses) -> str:
    """One diagram as Mermaid text."""
    lines = [f"graph {diagram.direction}"]
    ids = {group.title: f"group{index}" for index, group in enumerate(diagram.groups)}
    lines += _groups(diagram, ids, "", "    ")
    lines.append("")
    lines += [
        f"    {_arrow(arrow, statuses.get((diagram.name, *arrow.key)))}" for arrow in diagram.arrows
    ]
    lines += _styles(diagram, statuses)
    return "\n".join(lines) + "\n"


def _groups(diagram: Diagram, ids: dict[str, str], parent: str, indent: str) -> Iterator[str]:
    for group in diagram.groups:
        if group.parent != parent:
            continue
        yield f'{indent}subgraph {ids[group.title]}["{_escaped(group.title)}"]'
        for node in diagram.nodes:
            if node.group == group.title:
                yield f"{indent}    {_node(node)}"
        yield from _groups(diagram, ids, group.title, f"{indent}    ")
        yield f"{indent}end"


def _node(node: Node) -> str:
    title = "<br/>".join(map(_escaped, node.title))
    begin, end = ("[(", ")]") if node.is_store else ("[", "]")
    return f'{node.id}{begin}"{title}"{end}'


def _arrow(arrow: Arrow, status: ArrowStatus | None) -> str:
    parts = [arrow.label] if arrow.label else []
    if status is not None:
        parts.append(f"{SYMBOLS[status.state]} {status.state.value}")
        if status.state is State.BROKEN:
            parts.append(status.message)
    label = f'|"{"<br/>".join(map(_escaped, parts))}"|' if parts else ""
    return f"{arrow.source} {'-.->' if arrow.dashed else '-->'}{label} {arrow.target}"


def _styles(diagram: Diagram, statuses: ArrowStatuses) -> Iterator[str]:
    yield ""
    for style in sorted({node.style for node in diagram.nodes}):
        nodes = ",".join(node.id for node in diagram.nodes if node.style == style)
        yield f"    classDef {style} {NODE_STYLES[style]}"
        yield f"    class {nodes} {style}"
    for state in State:
        numbers = [
            str(index)
            for index, arrow in enumerate(diagram.arrows)
            if (status := statuses.get((diagram.name, *arrow.key))) and status.state is state
        ]
        if numbers:
            yield f"    linkStyle {','.join(numbers)} {LINE_STYLES[state]}"


def _escaped(title: str) -> str:
    """Escapes a quoted text; Mermaid uses HTML entities with # instead of &."""
    return (
        " ".join(inert.line(title).split())
        .replace("#", "#35;")
        .replace('"', "#quot;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
    )
