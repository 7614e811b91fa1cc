"""Diagrams as mermaid text, and several of them as one Markdown page. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.graph.model import SIGNS, Arrow, Diagram, Judgement, Judgements, Node, State

STYLES = {
    "service": "fill:#e1f5fe,color:#1a1a1a",
    "data": "fill:#fff3e0,color:#1a1a1a",
    "secrets": "fill:#f3e5f5,color:#1a1a1a",
    "operator": "fill:#ffe0b2,color:#1a1a1a",
    "external": "fill:#e8f5e8,color:#1a1a1a",
    "files": "fill:#fce4ec,color:#1a1a1a",
}
LINES = {
    State.ACTIVE: "stroke:#2e7d32,stroke-width:3px",
    State.IDLE: "stroke:#78909c,stroke-width:1px",
    State.BROKEN: "stroke:#c62828,stroke-width:3px",
    State.UNSEEN: "stroke:#9e9e9e,stroke-width:1px",
}


def page(diagrams: Iterable[Diagram], judged: Judgements) -> str:
    """Each diagram below its heading, as Markdown."""
    parts = (f"## {item.title}\n\n```mermaid\n{text(item, judged)}```\n" for item in diagrams)
    return "\n".join(parts)


def text(diagram: Diagram, judged: Judgements) -> str:
    """One diagram as mermaid."""
    lines = [f"graph {diagram.direction}"]
    ids = {group.title: f"group{index}" for index, group in enumerate(diagram.groups)}
    lines += _groups(diagram, ids, "", "    ")
    lines.append("")
    lines += [
        f"    {_arrow(arrow, judged.get((diagram.name, *arrow.key)))}" for arrow in diagram.arrows
    ]
    lines += _styles(diagram, judged)
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


def _arrow(arrow: Arrow, judged: Judgement | None) -> str:
    said = [arrow.label] if arrow.label else []
    if judged is not None:
        said.append(f"{SIGNS[judged.state]} {judged.state.value}")
        if judged.state is State.BROKEN:
            said.append(judged.why)
    label = f'|"{"<br/>".join(map(_escaped, said))}"|' if said else ""
    return f"{arrow.source} {'-.->' if arrow.dashed else '-->'}{label} {arrow.target}"


def _styles(diagram: Diagram, judged: Judgements) -> Iterator[str]:
    yield ""
    for style in sorted({node.style for node in diagram.nodes}):
        nodes = ",".join(node.id for node in diagram.nodes if node.style == style)
        yield f"    classDef {style} {STYLES[style]}"
        yield f"    class {nodes} {style}"
    for state in State:
        numbers = [
            str(index)
            for index, arrow in enumerate(diagram.arrows)
            if (found := judged.get((diagram.name, *arrow.key))) and found.state is state
        ]
        if numbers:
            yield f"    linkStyle {','.join(numbers)} {LINES[state]}"


def _escaped(title: str) -> str:
    """A text inside quotes; mermaid knows HTML's entities, with # for &."""
    return (
        " ".join(title.split())
        .replace("#", "#35;")
        .replace('"', "#quot;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
    )
