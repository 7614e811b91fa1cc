"""An HTML report of a diagnosis: self-contained, with every value escaped.

No I/O here except for reading the template of the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from vrooli import inert
from vrooli.diagnosis.bundle import object_status
from vrooli.diagnosis.interface import Cause
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube.objects import Body, ref_of, text
from vrooli.kube.unavailable import Unavailable

_SLOT = re.compile(r"<!--\{(\w+)\}-->")
# How many objects and events the page shows; the archive holds more.
OBJECTS, EVENTS = 600, 500
# The kinds that show the health of a release come before those without a status.
_FIRST = (
    *("Node", "Pod", "Deployment", "StatefulSet", "Job", "PostgresCluster", "RedisFailover"),
    *("VaultStaticSecret", "VaultAuth", "VaultConnection", "PersistentVolumeClaim", "Service"),
)


@dataclass(frozen=True)
class View:
    """The content of the page; secrets are redacted.

    Attributes:
        release: The release's name.
        namespace: Its namespace.
        when: When the evidence was collected.
        failure: Why a deploy failed, if that is the reason for the diagnosis.
        causes: The root causes.
        unavailable: The data that could not be read.
        objects: The objects.
        events: The events, the oldest first.
        logs: Log lines by source.
        versions: The versions of vrooli and Kubernetes.
    """

    release: str
    namespace: str
    when: datetime
    failure: str
    causes: Sequence[Cause]
    unavailable: Sequence[Unavailable]
    objects: Sequence[Body]
    events: Sequence[Mapping[str, Any]]
    logs: Mapping[str, Sequence[str]]
    versions: Mapping[str, object]


def render(view: View) -> str:
    """The page."""
    folder = files(__package__)
    script = (folder / "page.js").read_text("utf-8")
    slots = {
        "title": _safe(f"{view.release} in {view.namespace}"),
        "when": _safe(view.when.strftime("%Y-%m-%d %H:%M:%S UTC")),
        "policy": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "style": (folder / "page.css").read_text("utf-8"),
        "script": script,
        "verdict": _verdict(view),
        "failure": f'<pre class="failure">{_safe(view.failure)}</pre>' if view.failure else "",
        "findings": "".join(map(_cause, range(1, len(view.causes) + 1), view.causes)),
        "unavailable": _unavailable(view.unavailable),
        "objects": "".join(map(_object, _sorted(view.objects)[:OBJECTS])),
        "events": "".join(map(_event, reversed(view.events[-EVENTS:]))) or _none("No events."),
        "logs": _data(view.logs),
        "versions": _versions(view.versions),
    }
    template = (folder / "page.html").read_text("utf-8")
    # In one pass: the content of a slot is never parsed for slots.
    return _SLOT.sub(lambda match: slots[match[1]], template)


_safe = inert.html


def _none(words: str) -> str:
    return f'<p class="none">{words}</p>'


def _data(logs: Mapping[str, Sequence[str]]) -> str:
    """Data for the script of the page; escaped so that it cannot close its element."""
    clean = {inert.line(name): [inert.line(line) for line in lines] for name, lines in logs.items()}
    written = json.dumps(clean, ensure_ascii=False)
    return written.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _verdict(view: View) -> str:
    count = len(view.causes)
    if not count:
        return '<span class="badge healthy">no problem found</span>'
    return f'<span class="badge unhealthy">{counted(count, "root cause")} found</span>'


def _cause(number: int, cause: Cause) -> str:
    consequences = "".join(
        f"<li><b>{_safe(item.resource)}</b> {_safe(item.message)} "
        f"<code>{_safe(item.rule_id)}</code></li>"
        for item in cause.consequences
    )
    below = (
        f'<h4>Consequences</h4><ul class="consequences">{consequences}</ul>' if consequences else ""
    )
    finding = cause.finding
    return (
        f'<article class="cause"><h3><span class="number">{number}</span>'
        f"<span>{_safe(finding.resource)}</span><code>{_safe(finding.rule_id)}</code></h3>"
        f"<p>{_safe(finding.message)}</p>{_lines(finding)}{_remedy(finding)}{below}</article>"
    )


def _lines(finding: Finding) -> str:
    if not finding.evidence:
        return ""
    return f'<pre class="evidence">{_safe(chr(10).join(map(inert.line, finding.evidence)))}</pre>'


def _remedy(finding: Finding) -> str:
    parts = [f'<p class="remedy">{_safe(finding.remediation)}</p>' if finding.remediation else ""]
    if finding.command:
        parts.append(
            f'<div class="command"><code>{_safe(finding.command)}</code>'
            '<button type="button" class="copy">copy</button></div>'
        )
    if finding.link.startswith("https://"):
        parts.append(f'<p><a href="{_safe(finding.link)}">{_safe(finding.link)}</a></p>')
    return "".join(parts)


def _unavailable(unavailable: Sequence[Unavailable]) -> str:
    if not unavailable:
        return ""
    rows = "".join(
        f"<li><b>{_safe(item.resource)}</b> {_safe(item.reason)}</li>" for item in unavailable
    )
    body = f'<h2>Not checked</h2><ul class="unavailable">{rows}</ul>'
    return f'<section id="unavailable">{body}</section>'


def _sorted(objects: Sequence[Body]) -> list[Body]:
    """Unhealthy objects first, then by kind, kinds with a status before the others."""

    def place(body: Body) -> tuple[bool, int, str, str, str]:
        ref = ref_of(body)
        rank = _FIRST.index(ref.kind) if ref.kind in _FIRST else len(_FIRST)
        return (
            object_status.of(body).is_healthy is not False,
            rank,
            ref.kind,
            ref.namespace,
            ref.name,
        )

    return sorted(objects, key=place)


def _object(body: Body) -> str:
    ref, state = ref_of(body), object_status.of(body)
    sign = {True: "healthy", False: "unhealthy", None: "plain"}[state.is_healthy]
    return (
        f'<tr class="{sign}"><td>{_safe(ref.kind)}</td><td>{_safe(ref.name)}</td>'
        f"<td>{_safe(ref.namespace)}</td><td>{_safe(state.words)}</td></tr>"
    )


def _event(event: Mapping[str, Any]) -> str:
    about, last = event.get("about") or {}, event.get("last")
    count = event.get("count")
    times = f' <span class="times">{_safe(count)} times</span>' if count not in (None, 1) else ""
    sign = "warning" if event.get("type") == "Warning" else "normal"
    time = last.strftime("%H:%M:%S") if isinstance(last, datetime) else ""
    day = last.strftime("%Y-%m-%d") if isinstance(last, datetime) else ""
    return (
        f'<li class="{sign}"><time title="{day}">{time}</time><div><b>{_safe(event.get("reason"))}'
        f"</b> <code>{_safe(text(about, 'kind'))}/{_safe(text(about, 'name'))}</code>{times}"
        f"<p>{_safe(event.get('message'))}</p></div></li>"
    )


def _versions(versions: Mapping[str, object]) -> str:
    names = ("vrooli", "kubernetes")
    words = (f"{name} {versions[name]}" for name in names if versions.get(name))
    return _safe(" · ".join(words))
