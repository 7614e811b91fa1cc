"""The rule postgres-stanza-failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import happening
from support.diagnosis.healthy_release import PG, with_changed, with_events
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.postgres import stanza_failed
from vrooli.operators.pgo import passphrase


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


@pytest.mark.parametrize("code", ["[029]", "[095]"])
def test_a_repository_with_another_passphrase_is_named(code: str) -> None:
    words = f"ERROR: {code}: unable to load info file '/pgbackrest/repo2/archive/db/archive.info'"
    (symptom,) = stanza_failed.find(stanza(words))
    assert symptom.remediation.startswith(
        f"The repository cannot be decrypted. {passphrase.advice()}"
    )


@pytest.mark.parametrize(("is_created", "number"), [(True, 0), (False, 1)])
def test_a_failure_before_the_stanza_was_created_is_of_the_past(
    is_created: bool, number: int
) -> None:
    """PGO also fails once more when the first backup holds the lock already."""
    status = {"pgbackrest": {"repos": [{"name": "repo1", "stanzaCreated": is_created}]}}
    evidence = with_changed(PG.kind, PG.name, lambda body: body.update(status=status))
    events = stanza("ERROR: [050]: unable to acquire lock on file '/tmp/db-backup.lock'").events
    symptoms = list(stanza_failed.find(replace(evidence, events=events)))
    assert len(symptoms) == number
