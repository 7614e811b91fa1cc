"""Outcomes as JUnit XML, which CI services display."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vrooli.errors import UsageError

# Characters that XML 1.0 cannot represent.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Outcome(StrEnum):
    """How a test case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Case:
    """A test case.

    Attributes:
        name: Its stable name.
        title: Its name for people.
        outcome: How it ended.
        message: The message of a failure or a skip, or the output of a passed one.
        details: The lines of a failure.
        elapsed_s: Its duration, seconds.
    """

    name: str
    title: str
    outcome: Outcome
    message: str
    details: str = ""
    elapsed_s: float = 0.0


def demand_folder(file: Path) -> None:
    """Refuse a file whose directory does not exist, before work is done.

    Raises:
        UsageError: It does not exist.
    """
    if not file.resolve().parent.is_dir():
        raise UsageError(
            f"{file} cannot be written: directory {file.parent} not found.",
            "Create the directory, or use another file.",
        )


def document(suite_name: str, cases: Iterable[Case], elapsed_s: float) -> str:
    """One suite of test cases.

    Args:
        suite_name: Its name, such as "vrooli check"; with dots, it begins the class names.
        cases: Its cases.
        elapsed_s: Its duration, seconds.
    """
    listed = list(cases)
    totals = {
        "tests": str(len(listed)),
        "failures": str(sum(case.outcome is Outcome.FAILED for case in listed)),
        "errors": "0",
        "skipped": str(sum(case.outcome is Outcome.SKIPPED for case in listed)),
        "time": f"{elapsed_s:.3f}",
    }
    root = Element("testsuites", {"name": suite_name, **totals})
    suite = SubElement(root, "testsuite", {"name": suite_name, **totals})
    for case in listed:
        _add(suite, f"{suite_name.replace(' ', '.')}.{case.name}", case)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _add(suite: Element, class_name: str, item: Case) -> None:
    where = {"classname": class_name, "name": item.title, "time": f"{item.elapsed_s:.3f}"}
    case = SubElement(suite, "testcase", where)
    if item.outcome is Outcome.FAILED:
        message = {"message": _legal(item.message), "type": item.name}
        SubElement(case, "failure", message).text = _legal(item.details)
    elif item.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", {"message": _legal(item.message)})
    else:
        SubElement(case, "system-out").text = _legal(item.message)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
