"""The cluster doesn't know PostgresCluster."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import PGO

RULE = Rule(
    rule_id="postgres-crd-missing",
    title='no matches for kind "PostgresCluster"',
    find=partial(
        operators.not_served,
        operator=PGO,
        remedy="Install PGO, which brings it.",
        command=operators.SETUP,
    ),
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/installation",
)
