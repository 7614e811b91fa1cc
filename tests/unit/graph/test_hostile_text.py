"""Hostile text in every string of a diagram is text in each drawing."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

from vrooli.graph.model import Arrow, ArrowStatus, Diagram, Group, Node, Reason, State
from vrooli.graph.render import html, mermaid, svg

HOSTILE = (
    "x\x1b[2J\x9b31m\u202e\u200b\u2028\x00\n$ touch X\"'><script>alert(1)</script>"
    "<a href='javascript:alert(1)' onload=x>${title}<!--{style}-->"
)
BAD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
ARROW = Arrow("a", "b", (Reason(HOSTILE, HOSTILE, HOSTILE),), HOSTILE)
DIAGRAM = Diagram(
    "connectivity",
    HOSTILE,
    "TB",
    (Group(HOSTILE),),
    tuple(Node(name, (HOSTILE, HOSTILE), HOSTILE) for name in "ab"),
    (ARROW,),
)
STATUSES = {("connectivity", "a", "b"): ArrowStatus(State.BROKEN, HOSTILE)}


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts = 0
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.attributes += attrs


def _drawings() -> dict[str, str]:
    page = html.render([DIAGRAM], STATUSES, title=HOSTILE, problems=[HOSTILE], is_live=True)
    return {
        "html": page,
        "svg": svg.render([DIAGRAM], STATUSES),
        "mermaid": mermaid.markdown([DIAGRAM], STATUSES),
        "event": html.change_message(STATUSES, HOSTILE),
    }


def test_drawings_show_no_control_character() -> None:
    for name, drawing in _drawings().items():
        bad = {sign for sign in drawing if sign != "\n" and unicodedata.category(sign) in BAD}
        assert not bad, name


def test_hostile_text_adds_no_element_no_attribute_and_no_script() -> None:
    drawings = _drawings()
    assert _Tags(drawings["html"]).scripts == 1
    assert _Tags(drawings["svg"]).scripts == 0
    for name in ("html", "svg"):
        for attribute, value in _Tags(drawings[name]).attributes:
            assert not attribute.startswith("on"), name
            assert attribute != "href" or not (value or "").startswith("javascript:"), name


def test_a_line_feed_adds_no_line_to_mermaid() -> None:
    assert not [
        line for line in _drawings()["mermaid"].splitlines() if line.strip().startswith("$")
    ]
