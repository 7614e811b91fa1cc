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
    rows = yaml.safe_load((DOCS / "diagnosis-proofs.yaml").read_text())
    assert len({row["rule"] for row in rows}) == len(rows)
    return {row["rule"]: row for row in rows}


def table() -> str:
    known = proofs()
    lines = ["| rule | symptom | proven | named after, s |", "|---|---|---|---|"]
    for rule in catalog.ALL:
        row = known[rule.name]
        title = rule.title.replace("|", "\\|")
        lines.append(f"| `{rule.name}` | {title} | {row['proof']} | {row['seconds'] or ''} |")
    return "\n".join(lines) + "\n"


def test_every_rule_has_a_proof_and_every_proof_a_rule() -> None:
    assert set(proofs()) == {rule.name for rule in catalog.ALL}
    assert {row["proof"] for row in proofs().values()} <= {"live", "recorded"}
    live = [row for row in proofs().values() if row["proof"] == "live"]
    assert [row["rule"] for row in live if not row["seconds"]] == []


def test_the_table_is_what_the_catalogue_says() -> None:
    path = DOCS / "diagnosis.md"
    text = path.read_text()
    wanted = TABLE.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        path.write_text(wanted)
    assert path.read_text() == wanted
