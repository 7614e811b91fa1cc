"""The table of values in k8s/README.md, generated from the `# --` comments of values.yaml."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from vrooli import project
from vrooli.chart import values
from vrooli.errors import UsageError

# The table is between these two lines; the rest of the file is written by hand.
BEGIN = "<!-- values: made from chart/values.yaml, don't edit -->"
END = "<!-- end of values -->"
# The maximum length of a default in the table, characters; longer ones are in values.yaml only.
MAX_DEFAULT_LENGTH = 100
_KEY = re.compile(r"(?P<indent> *)(?P<name>[\w.]+):")
_MARK = "# -- "

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """One value of the chart.

    Attributes:
        path: Its keys, outermost first.
        default: Its default in values.yaml.
        description: The `# --` comment above it.
    """

    path: Keys
    default: Any
    description: str

    @property
    def row(self) -> str:
        """Its row of the table."""
        cells = (f"`{'.'.join(self.path)}`", f"`{_format_default(self.default)}`", self.description)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def parse_descriptions(text: str) -> dict[Keys, str]:
    """The `# --` comments of a values file, by the path of the key below each."""
    descriptions: dict[Keys, str] = {}
    path: list[str] = []
    for before, line in pairwise(["", *text.splitlines()]):
        key = _KEY.match(line)
        if key:
            path = [*path[: len(key["indent"]) // 2], key["name"]]
            if before.strip().startswith(_MARK):
                descriptions[tuple(path)] = before.strip().removeprefix(_MARK)
    return descriptions


def described_values() -> list[Value]:
    """Every value of the chart that has a `# --` comment, in the order of values.yaml."""
    path = project.chart_dir() / "values.yaml"
    defaults = values.read(path)
    descriptions = parse_descriptions(path.read_text(encoding="utf-8"))
    return [
        Value(keys, _lookup(defaults, keys), description)
        for keys, description in descriptions.items()
    ]


def table() -> str:
    """The table between the two marker lines."""
    head = ["| value | default | meaning |", "|---|---|---|"]
    return "\n".join([*head, *(value.row for value in described_values())])


def readme() -> Path:
    """The file that contains the table."""
    return project.chart_dir().parent / "README.md"


def difference() -> str:
    """The diff between the README's table and values.yaml; empty if they agree."""
    text = readme().read_text(encoding="utf-8")
    lines = difflib.unified_diff(
        text.splitlines(),
        _with_table(text).splitlines(),
        fromfile="README.md",
        tofile="values.yaml now",
        n=1,
        lineterm="",
    )
    return "\n".join(lines)


def update() -> bool:
    """Rewrite the table; returns whether that changed the README."""
    text = readme().read_text(encoding="utf-8")
    updated = _with_table(text)
    readme().write_text(updated, encoding="utf-8")
    return updated != text


def _with_table(text: str) -> str:
    before, begin_mark, rest = text.partition(BEGIN)
    _, end_mark, after = rest.partition(END)
    if not begin_mark or not end_mark:
        raise UsageError(
            f"{readme()} has no marker lines for the table of values.",
            f"Add the lines {BEGIN} and {END} where the table belongs.",
        )
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _lookup(value: Any, path: Keys) -> Any:
    for key in path:
        value = value[key]
    return value


def _format_default(default: Any) -> str:
    text = default if default and isinstance(default, str) else json.dumps(default)
    return text if len(text) <= MAX_DEFAULT_LENGTH and "\n" not in text else "see values.yaml"
