"""Answers of pods that are nested so deeply that Python's parser gives up."""

from __future__ import annotations

import pytest

from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.evidence.probes import health_answer, postgres_state, vault_health
from vrooli.kube.objects import Ref

NESTED = "[" * 50_000


def test_a_nested_health_report_is_no_report() -> None:
    """A pod of the release would otherwise end the diagnosis of all."""
    answer = Answer(health_answer.NAME, Ref("Pod", "server", "dev"), f"503 {NESTED}")
    assert health_answer.report(answer) == {}


@pytest.mark.parametrize(
    ("is_accepted", "text"), [(False, NESTED), (False, "psql: error"), (True, '{"a": 1}')]
)
def test_a_nested_answer_of_psql_is_no_answer(is_accepted: bool, text: str) -> None:
    assert postgres_state._is_json(text) is is_accepted


def test_a_nested_health_of_vault_is_none() -> None:
    assert vault_health._parsed(NESTED) is None
