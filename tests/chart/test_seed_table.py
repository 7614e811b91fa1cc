"""Every value of the specification's table is in the chart, with the default named there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.docs import specification
from vrooli import project
from vrooli.chart import values

ROW = re.compile(r"^\| `(?P<name>[\w.]+)`\s*\|[^|]*\|\s*`(?P<default>[^`]*)`", re.MULTILINE)
HEADING = "### Configuration Parameters"


def seed_rows() -> list[tuple[str, str]]:
    """Name and default of each row of the table."""
    table = specification.text().partition(HEADING)[2].partition("\n### ")[0]
    return [(row["name"], row["default"]) for row in ROW.finditer(table)]


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    """The chart's own values."""
    return values.read(project.chart_dir() / "values.yaml")


@specification.needed
def test_each_value_of_the_specification_has_its_default(defaults: dict[str, Any]) -> None:
    rows = seed_rows()
    assert len(rows) > 50
    differing = {
        name: (expected, actual)
        for name, expected in rows
        if (actual := shown(lookup(defaults, name))) != expected
    }
    assert differing == {}


def lookup(value: Any, name: str) -> Any:
    """The value of a dotted name."""
    for key in name.split("."):
        value = value[key]
    return value


def shown(value: Any) -> str:
    """A value in the table's format."""
    match value:
        case bool():
            return str(value).lower()
        case "":
            return '""'
        case dict() | list() if not value:
            return str(value)
        case _:
            return str(value)
