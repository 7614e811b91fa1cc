"""What needs a yes: each action in each environment, with and without a terminal and ``--yes``."""

from __future__ import annotations

import pytest

from vrooli.errors import InterruptError, UsageError
from vrooli.workflows.safeguards.consent import (
    CONFIRMED,
    Action,
    Consent,
    Verdict,
    objects,
    verdict,
)

PROCEED, PROMPTS, REFUSE = Verdict.PROCEED, Verdict.PROMPTS, Verdict.REFUSE
# What becomes of it on a terminal, and without one, when there is no --yes.
TABLE = [
    (Action.DEPLOY, "dev", PROCEED, PROCEED),
    (Action.DEPLOY, "staging", PROMPTS, REFUSE),
    (Action.DEPLOY, "prod", PROMPTS, REFUSE),
    (Action.ROLLBACK, "dev", PROCEED, PROCEED),
    (Action.ROLLBACK, "staging", PROMPTS, REFUSE),
    (Action.ROLLBACK, "prod", PROMPTS, REFUSE),
    (Action.DEVELOP, "dev", PROCEED, PROCEED),
    (Action.DEVELOP, "staging", PROMPTS, REFUSE),
    (Action.DEVELOP, "prod", PROMPTS, REFUSE),
    (Action.REPLACE_ARTIFACT, "dev", PROMPTS, REFUSE),
    (Action.REPLACE_ARTIFACT, "staging", PROMPTS, REFUSE),
    (Action.REPLACE_ARTIFACT, "prod", PROMPTS, REFUSE),
    (Action.SWITCHOVER, "dev", PROCEED, PROCEED),
    (Action.SWITCHOVER, "staging", PROMPTS, REFUSE),
    (Action.SWITCHOVER, "prod", PROMPTS, REFUSE),
    (Action.DRILL, "dev", PROCEED, PROCEED),
    (Action.DRILL, "staging", PROMPTS, REFUSE),
    (Action.DRILL, "prod", PROMPTS, REFUSE),
    (Action.ROTATE, "dev", PROCEED, PROCEED),
    (Action.ROTATE, "staging", PROMPTS, REFUSE),
    (Action.ROTATE, "prod", PROMPTS, REFUSE),
    (Action.SCALE, "dev", PROCEED, PROCEED),
    (Action.SCALE, "staging", PROMPTS, REFUSE),
    (Action.SCALE, "prod", PROMPTS, REFUSE),
    (Action.SCALE_TO_ZERO, "dev", PROMPTS, REFUSE),
    (Action.SCALE_TO_ZERO, "staging", PROMPTS, REFUSE),
    (Action.SCALE_TO_ZERO, "prod", PROMPTS, REFUSE),
    (Action.RESTORE_COPY, "dev", PROCEED, PROCEED),
    (Action.RESTORE_COPY, "staging", PROMPTS, REFUSE),
    (Action.RESTORE_COPY, "prod", PROMPTS, REFUSE),
    (Action.RESTORE_REDIS, "dev", PROMPTS, REFUSE),
    (Action.RESTORE_REDIS, "staging", PROMPTS, REFUSE),
    (Action.RESTORE_REDIS, "prod", PROMPTS, REFUSE),
    (Action.RESTORE_VAULT, "dev", PROMPTS, REFUSE),
    (Action.RESTORE_VAULT, "staging", PROMPTS, REFUSE),
    (Action.RESTORE_VAULT, "prod", PROMPTS, REFUSE),
    (Action.RESTORE_POSTGRES, "dev", PROMPTS, REFUSE),
    (Action.RESTORE_POSTGRES, "staging", PROMPTS, REFUSE),
    (Action.RESTORE_POSTGRES, "prod", PROMPTS, REFUSE),
    (Action.UNDO_RESTORE, "dev", PROMPTS, REFUSE),
    (Action.UNDO_RESTORE, "staging", PROMPTS, REFUSE),
    (Action.UNDO_RESTORE, "prod", PROMPTS, REFUSE),
    (Action.FINISH_RESTORE, "dev", PROMPTS, REFUSE),
    (Action.FINISH_RESTORE, "staging", PROMPTS, REFUSE),
    (Action.FINISH_RESTORE, "prod", PROMPTS, REFUSE),
    (Action.GROW, "dev", PROCEED, PROCEED),
    (Action.GROW, "staging", PROMPTS, REFUSE),
    (Action.GROW, "prod", PROMPTS, REFUSE),
    (Action.RESET_DATA, "dev", PROMPTS, REFUSE),
    (Action.RESET_DATA, "staging", PROMPTS, REFUSE),
    (Action.RESET_DATA, "prod", PROMPTS, REFUSE),
    (Action.SEED_DATA, "dev", PROMPTS, REFUSE),
    (Action.SEED_DATA, "staging", PROMPTS, REFUSE),
    (Action.SEED_DATA, "prod", PROMPTS, REFUSE),
    (Action.UNINSTALL, "dev", PROMPTS, REFUSE),
    (Action.UNINSTALL, "staging", PROMPTS, REFUSE),
    (Action.UNINSTALL, "prod", PROMPTS, REFUSE),
    (Action.DELETE_DATA, "dev", PROMPTS, REFUSE),
    (Action.DELETE_DATA, "staging", PROMPTS, REFUSE),
    (Action.DELETE_DATA, "prod", PROMPTS, REFUSE),
    (Action.DELETE_CLUSTER, None, PROMPTS, REFUSE),
    (Action.UPGRADE_OPERATORS, None, PROMPTS, REFUSE),
    (Action.RESTORE_CLUSTER, None, PROMPTS, REFUSE),
    (Action.DELETE_SNAPSHOT, None, PROMPTS, REFUSE),
]


@pytest.mark.parametrize(("action", "environment", "terminal", "bare"), TABLE)
def test_the_table(
    action: Action, environment: str | None, terminal: Verdict, bare: Verdict
) -> None:
    assert verdict(action, environment, terminal=True, yes=False) is terminal
    assert verdict(action, environment, terminal=False, yes=False) is bare
    assert verdict(action, environment, terminal=True, yes=True) is PROCEED
    assert verdict(action, environment, terminal=False, yes=True) is PROCEED


def test_every_action_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(Action)


def test_without_a_terminal_the_refusal_reports_what_would_change_and_what_to_pass() -> None:
    with pytest.raises(UsageError) as refused:
        Consent().demand(Action.ROLLBACK, "prod", "change 1 object of vrooli-prod")
    assert refused.value.exit_code == 2
    assert "This would change 1 object of vrooli-prod." in refused.value.message
    assert "Nothing was changed" in refused.value.message
    assert "--yes" in refused.value.advice


def test_a_person_is_prompted_with_what_would_change_and_a_no_ends_it() -> None:
    questions: list[str] = []
    with pytest.raises(InterruptError, match="nothing was changed"):
        Consent(ask=questions.append).demand(  # type: ignore[arg-type]
            Action.DELETE_DATA, "dev", "take away the data"
        )
    assert questions == ["Take away the data?"]


def test_only_a_person_who_was_prompted_may_have_thought_for_long() -> None:
    requests = Consent(ask=lambda question: True)
    assert requests.demand(Action.DEPLOY, "prod", "change it") is True
    assert requests.demand(Action.DEPLOY, "dev", "change it") is False
    assert CONFIRMED.demand(Action.DEPLOY, "prod", "change it") is False


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["Service/ui"], "1 object (Service/ui)"),
        (["Service/ui", "Secret/a"], "2 objects (Service/ui, Secret/a)"),
        (
            [f"A/{n}" for n in range(12)],
            f"12 objects ({', '.join(f'A/{n}' for n in range(10))} and 2 more)",
        ),
    ],
)
def test_a_question_names_the_objects(keys: list[str], text: str) -> None:
    assert objects(keys) == text
