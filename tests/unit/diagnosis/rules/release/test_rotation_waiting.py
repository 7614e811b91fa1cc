"""The rule rotation-waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, found, happening
from support.diagnosis.healthy_release import ROTATOR, RUNNING, healthy
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.release import rotation_waiting
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref

WAITING = replace(
    RUNNING,
    secrets={
        **healthy().secrets,
        Ref("Secret", "vrooli-pg-pguser-vrooli-alternate", "dev"): SecretFacts(
            "Opaque", {"password": 9}, marks={"password": "previous"}
        ),
    },
    events=(happening(ROTATOR, "RotationWaiting", "PostgreSQL: waiting for 61 s: a pod runs"),),
)

CASES: Cases = {
    "a rotation that waits": (
        str(ROTATOR),
        WAITING,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(rotation_waiting.RULE, *CASES[case])


@pytest.mark.parametrize("later", ["CredentialsPublished", "RotationCompleted"])
def test_a_rotation_that_went_on_waits_no_more(later: str) -> None:
    waits = WAITING.events[0]
    done = Event(ROTATOR, "Normal", later, "PostgreSQL: done", last=NOW)
    assert found(rotation_waiting.RULE, replace(WAITING, events=(waits, done))) == []
    other = replace(done, message="Redis: done")
    assert found(rotation_waiting.RULE, replace(WAITING, events=(waits, other)))


def test_a_wait_that_has_passed_is_known_by_the_secrets() -> None:
    assert found(rotation_waiting.RULE, replace(WAITING, secrets=healthy().secrets)) == []
    empty = {Ref("Secret", "vrooli-postgres-creds-vault", "dev"): SecretFacts("Opaque", {})}
    seen = replace(WAITING, secrets={**healthy().secrets, **empty})
    assert found(rotation_waiting.RULE, seen) == [str(ROTATOR)]


def test_an_old_warning_of_the_rotator_is_of_the_past() -> None:
    old = replace(WAITING.events[0], last=NOW - timedelta(minutes=20))
    assert found(rotation_waiting.RULE, replace(WAITING, events=(old,))) == []
