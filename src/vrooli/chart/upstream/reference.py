"""The table of upstream's keys in k8s/README.md, generated from the mapping."""

from __future__ import annotations

from vrooli.chart.upstream import mapping
from vrooli.chart.upstream.rule import Rule

# The table is between these two lines; the rest of the file is written by hand.
BEGIN = "<!-- upstream's values: made from chart/upstream/mapping.py, don't edit -->"
END = "<!-- end of upstream's values -->"


def table() -> str:
    """The table between the two marker lines."""
    head = ["| upstream's key | key of this chart | note |", "|---|---|---|"]
    return "\n".join([*head, *(_row(rule) for rule in mapping.RULES)])


def refreshed(page: str) -> str:
    """A page with its table generated from the mapping."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table()}\n{end}{after}"


def _row(rule: Rule) -> str:
    if rule.secret:
        target = f"none: `secret/{rule.secret.path}` in Vault"
    else:
        target = ", ".join(f"`{key}`" for key in rule.targets) or "none"
    return f"| `{rule.key}` | {target} | {rule.note} |"
