"""The rule postgres-stanza-failed."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import (
    happening,
)
from support.diagnosis.healthy_release import (
    PG,
    with_events,
)
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.postgres import stanza_failed


def stanza(words: str) -> Evidence:
    """PGO's event of a stanza that it can't make."""
    return with_events(happening(PG, "UnableToCreateStanzas", words))


CASES: Cases = {
    "no address of the repository": (
        str(PG),
        stanza("ERROR: [049]: unable to get address for 'vrooli-pg-repo-host-0.vrooli-pg-pods'"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(stanza_failed.RULE, *CASES[case])
