"""Reads mermaid flowcharts as the specification has them: boxes, frames, arrows with labels."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ARROW = re.compile(r"\s*(-->|-\.->)(?:\|([^|]*)\|)?\s*")
NODE = re.compile(r'^(\w+)(?:\[\("?(.*?)"?\)\]|\["?(.*?)"?\])?$')
SUBGRAPH = re.compile(r'^subgraph (?:\w+\[)?"([^"]*)"\]?$')
BLOCK = re.compile(r"^```mermaid\n(.*?)^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass
class Chart:
    """One flowchart.

    Attributes:
        direction: TB, TD or LR.
        nodes: Each box' title, line by line, by its id.
        groups: The frame that each box is in, by its id.
        parents: The frame around each frame; empty for the outermost.
        arrows: What stands beside each arrow and whether it is dashed, by its ends.
    """

    direction: str
    nodes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    arrows: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)


def charts(text: str) -> dict[str, Chart]:
    """Each flowchart of a document, by the heading above it."""
    result = {}
    for block in BLOCK.finditer(text):
        headings = HEADING.findall(text[: block.start()])
        result[headings[-1].strip()] = chart(block[1])
    return result


def chart(text: str) -> Chart:
    """One flowchart."""
    first, *lines = [line.strip() for line in text.splitlines() if line.strip()]
    read = Chart(first.split()[1])
    frames = [""]
    for line in lines:
        if line.startswith(("classDef", "class ", "linkStyle", "direction")):
            continue
        if opened := SUBGRAPH.match(line):
            title = _text(opened[1])
            read.parents[title] = frames[-1]
            frames.append(title)
        elif line == "end":
            frames.pop()
        elif ARROW.search(line):
            read.arrows.update(_chain(line))
        else:
            node = NODE.match(line)
            assert node is not None, f"what is this? {line}"
            title = node[2] or node[3] or node[1]
            read.nodes[node[1]] = tuple(map(_text, title.split("<br/>")))
            read.groups[node[1]] = frames[-1]
    assert frames == [""], "a frame isn't closed"
    return read


def _chain(line: str) -> Iterator[tuple[tuple[str, str], tuple[str, bool]]]:
    """A --> B -->|label| C is two arrows."""
    parts = ARROW.split(line)
    for at in range(0, len(parts) - 3, 3):
        source, kind, label, target = parts[at : at + 4]
        words = _text((label or "").strip('"'))
        yield (source.strip(), target.strip()), (words, kind == "-.->")


def _text(escaped: str) -> str:
    """A text as people read it: mermaid's entities are HTML's with # for &."""
    return html.unescape(re.sub(r"#(\w+);", r"&\1;", re.sub(r"#(\d+);", r"&#\1;", escaped)))
