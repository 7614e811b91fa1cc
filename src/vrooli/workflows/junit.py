"""The outcomes of checks as JUnit XML, which CI services display. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vrooli.workflows.results.findings import CheckView, FindingView

# Characters that XML 1.0 cannot represent.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SUITE = "vrooli check"


def document(checks: Iterable[CheckView], elapsed_s: float) -> str:
    """One test case for each check: failures for its findings, skipped if it had no access."""
    cases = list(checks)
    failures = sum(view.state == "failed" for view in cases)
    skipped = sum(view.state in ("not needed", "unknown") for view in cases)
    totals = {
        "tests": str(len(cases)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
        "time": f"{elapsed_s:.3f}",
    }
    root = Element("testsuites", {"name": SUITE, **totals})
    suite = SubElement(root, "testsuite", {"name": SUITE, **totals})
    for view in cases:
        _case(suite, view)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, view: CheckView) -> None:
    where = {"classname": f"vrooli.check.{view.name}", "name": view.title}
    case = SubElement(suite, "testcase", {**where, "time": f"{view.elapsed_s:.3f}"})
    if view.state == "failed":
        messages = "; ".join(f"{item.resource}: {item.message}" for item in view.findings)
        failure = SubElement(case, "failure", {"message": _legal(messages), "type": view.name})
        failure.text = _legal("\n".join(line for item in view.findings for line in _lines(item)))
    elif view.state != "ok":
        SubElement(case, "skipped", {"message": _legal(f"{view.state}: {view.message}")})
    else:
        SubElement(case, "system-out").text = _legal(view.message)


def _lines(item: FindingView) -> list[str]:
    return [
        line
        for line in (f"{item.resource}: {item.message}", item.remediation, item.command)
        if line
    ]


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
