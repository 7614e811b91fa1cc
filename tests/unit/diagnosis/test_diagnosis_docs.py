"""docs/diagnosis.md's table is what the catalogue and the proofs say."""

from __future__ import annotations

import os
import re
from typing import Any

import yaml

from vrooli import project
from vrooli.diagnosis import catalog

DOCS = project.root() / "docs"
TABLE = re.compile(r"(<!-- rules -->\n).*?(<!-- /rules -->)", re.DOTALL)


def proofs() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((DOCS / "diagnosis-proofs.yaml").read_text())
    assert isinstance(found, dict)
    return found


def table() -> str:
    known = proofs()
    lines = ["| rule | symptom | verified | time, s |", "|---|---|---|---|"]
    for rule in catalog.ALL:
        row = known[rule.rule_id]
        title = rule.title.replace("|", "\\|")
        lines.append(f"| `{rule.rule_id}` | {title} | {row['proven']} | {row.get('seconds', '')} |")
    return "\n".join(lines) + "\n"


def test_every_rule_has_a_proof_and_every_proof_a_rule() -> None:
    assert set(proofs()) == {rule.rule_id for rule in catalog.ALL}
    assert {row["proven"] for row in proofs().values()} <= {"live", "recorded"}
    assert [
        rule
        for rule, row in proofs().items()
        if (row["proven"] == "live") != bool(row.get("seconds"))
    ] == []


def test_the_table_is_what_the_catalogue_says() -> None:
    path = DOCS / "diagnosis.md"
    text = path.read_text()
    wanted = TABLE.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        path.write_text(wanted)
    assert path.read_text() == wanted
