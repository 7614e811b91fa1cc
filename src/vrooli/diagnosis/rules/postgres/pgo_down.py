"""PGO isn't there, or doesn't run."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import PGO

RULE = Rule(
    rule_id="pgo-down",
    title="PGO is absent or has no pod: PostgreSQL's changes wait",
    find=partial(operators.not_running, operator=PGO),
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/installation",
)
