"""One self-contained HTML page with the diagrams: no other files, no network.

The only I/O is reading its own assets.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from vrooli import inert
from vrooli.graph.model import MEANINGS, SYMBOLS, Arrow, ArrowStatus, ArrowStatuses, Diagram, Node
from vrooli.graph.render import svg

ASSETS = Path(__file__).with_name("assets")


def render(
    diagrams: Sequence[Diagram],
    statuses: ArrowStatuses,
    *,
    title: str,
    problems: Iterable[str] = (),
    is_live: bool = False,
) -> str:
    """The page.

    Args:
        diagrams: The diagrams.
        statuses: The status of their arrows; empty without a cluster.
        title: The name of the release.
        problems: What could not be read, as text.
        is_live: Whether it subscribes to the changes of its server.
    """
    return Template(_asset("page.html")).substitute(
        title=inert.html(title),
        policy=content_security_policy(),
        style=_asset("picture.css") + _asset("page.css"),
        script=_asset("page.js"),
        follows="yes" if is_live else "no",
        notes="".join(f"<li>{inert.html(problem)}</li>" for problem in problems),
        legend=_legend() if statuses or is_live else "",
        pictures="".join(_section(diagram, statuses) for diagram in diagrams),
    )


def format_states(statuses: ArrowStatuses) -> dict[str, dict[str, str]]:
    """The status of each arrow in the form that the page's script expects."""
    return {
        inert.lines("/".join(key)): {
            "state": status.state.value,
            "sign": SYMBOLS[status.state],
            "why": inert.line(status.message),
        }
        for key, status in statuses.items()
    }


def change_message(statuses: ArrowStatuses, outage: str = "") -> str:
    """The event that open pages receive after a change, as JSON."""
    body: Mapping[str, Any] = {"away": outage, "arrows": format_states(statuses)}
    return inert.json(json.dumps(body, ensure_ascii=False))


def content_security_policy() -> str:
    """The Content-Security-Policy: the page's own style and script, and requests to its server."""
    digest = hashlib.sha256(_asset("page.js").encode()).digest()
    allowed = base64.b64encode(digest).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{allowed}'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _legend() -> str:
    items = (
        f'<li class="{state.value}"><b>{sign}</b> {state.value}: {MEANINGS[state]}</li>'
        for state, sign in SYMBOLS.items()
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _section(diagram: Diagram, statuses: ArrowStatuses) -> str:
    names = {node.id: node for node in diagram.nodes}
    rows = "".join(
        _row(diagram.name, arrow, names, statuses.get((diagram.name, *arrow.key)))
        for arrow in diagram.arrows
    )
    return (
        f'<section id="{diagram.name}"><h2>{inert.html(diagram.title)}</h2>'
        f'<div class="scroll">{svg.render_embedded(diagram, statuses)}</div>'
        f"<details><summary>{len(diagram.arrows)} arrows, one by one</summary>"
        "<table><thead><tr><th>from</th><th>to</th><th>what</th><th>state</th><th>why</th>"
        f"<th>because of</th></tr></thead><tbody>{rows}</tbody></table></details></section>"
    )


def _row(name: str, arrow: Arrow, nodes: Mapping[str, Node], status: ArrowStatus | None) -> str:
    key = inert.html(f"{name}/{arrow.source}/{arrow.target}")
    state, symbol, why = ("none", "", "")
    if status:
        state, symbol, why = status.state.value, SYMBOLS[status.state], status.message
    reasons = "<br>".join(inert.html(str(reason)) for reason in arrow.reasons)
    ends = (nodes[arrow.source].title, nodes[arrow.target].title)
    source, target = (inert.html(" ".join(title[:2])) for title in ends)
    state_text = "" if state == "none" else state
    return (
        f'<tr class="{state}" data-row="{key}"><td>{source}</td><td>{target}</td>'
        f'<td>{inert.html(arrow.label)}</td><td class="state"><b>{symbol}</b> '
        f"<span>{state_text}</span></td>"
        f'<td class="why">{inert.html(why)}</td><td class="reason">{reasons}</td></tr>'
    )
