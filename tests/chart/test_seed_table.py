"""Every value of the specification's table is in the chart, with the default named there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vrooli import project
from vrooli.chart import values

ROW = re.compile(r"^\| `(?P<name>[\w.]+)`\s*\|[^|]*\|\s*`(?P<default>[^`]*)`", re.MULTILINE)
HEADING = "### Configuration Parameters"


def seed_rows() -> list[tuple[str, str]]:
    """Name and default of each row of the table."""
    text = "\n".join(path.read_text() for path in sorted(seed().glob("*")))
    table = text.partition(HEADING)[2].partition("\n### ")[0]
    return [(row["name"], row["default"]) for row in ROW.finditer(table)]


def seed() -> Path:
    """The specification's folder, which is beside the repository where it is kept at all."""
    return project.root().parent / "shared" / "seed"


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    """The chart's own values."""
    return values.read(project.chart_dir() / "values.yaml")


@pytest.mark.skipif(not seed().is_dir(), reason="the specification isn't kept beside this checkout")
def test_each_value_of_the_specification_has_its_default(defaults: dict[str, Any]) -> None:
    rows = seed_rows()
    assert len(rows) > 50
    differing = {
        name: (wanted, found)
        for name, wanted in rows
        if (found := shown(lookup(defaults, name))) != wanted
    }
    assert differing == {}


def lookup(found: Any, name: str) -> Any:
    """The value of a dotted name."""
    for key in name.split("."):
        found = found[key]
    return found


def shown(value: Any) -> str:
    """A value as the table writes it."""
    match value:
        case bool():
            return str(value).lower()
        case "":
            return '""'
        case dict() | list() if not value:
            return str(value)
        case _:
            return str(value)
