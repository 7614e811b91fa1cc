"""The cluster doesn't know PostgresCluster."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis import keepers
from vrooli.diagnosis.interface import Rule

RULE = Rule(
    name="postgres-crd-missing",
    title='no matches for kind "PostgresCluster"',
    find=partial(
        keepers.not_served,
        keeper=keepers.PGO,
        remedy="Install PGO, which brings it.",
        command=keepers.SETUP,
    ),
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/installation",
)
