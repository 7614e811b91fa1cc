"""What a command says that has lost its API server: what is done, what is not, and what is next."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from vrooli.errors import VrooliError
from vrooli.events import Event, Listener, Progress, StepEnded, silent
from vrooli.kube.api_errors import NoAnswerError
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import rotate, switchover
from vrooli.workflows.backups import backup
from vrooli.workflows.restores import copy as restore
from vrooli.workflows.restores import end as restore_end
from vrooli.workflows.restores import postgres as restore_postgres
from vrooli.workflows.restores import redis as restore_redis
from vrooli.workflows.restores import vault as restore_vault
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.scaling import grow, scale

pytestmark = pytest.mark.anyio


async def _done(_: Progress) -> Done:
    return Done(changed=True)


async def _lost(_: Progress) -> Done:
    raise NoAnswerError("The API server did not answer.", "See the cluster.")


async def _failed(_: Progress) -> Done:
    raise VrooliError("It is broken.", "Mend it.")


@api_outages.explained("run `vrooli status`.")
async def _workflow(steps: list[Step], listener: Listener) -> list[StepEnded]:
    return await run_steps(steps, listener)


async def test_an_outage_names_the_steps_and_the_next_command() -> None:
    steps = [
        Step("wal", "WAL", _done),
        Step("data", "Restored data", _lost, ("wal",)),
        Step("switch", "Switch", _done, ("data",)),
    ]
    events: list[Event] = []
    with pytest.raises(NoAnswerError) as failure:
        await _workflow(steps, listener=events.append)
    assert failure.value.message == (
        "The API server did not answer. Done: WAL. Interrupted: Restored data; what follows was "
        "not begun."
    )
    assert failure.value.advice == (
        "See the cluster. When the API server answers again, run `vrooli status`."
    )
    assert [item.step for item in events if isinstance(item, StepEnded)] == ["wal", "data"]


async def test_another_error_stays_as_it_is() -> None:
    with pytest.raises(VrooliError) as failure:
        await _workflow([Step("data", "Data", _failed)], silent)
    assert (failure.value.message, failure.value.advice) == ("It is broken.", "Mend it.")


async def test_before_the_first_step_nothing_was_changed() -> None:
    with pytest.raises(NoAnswerError) as failure, api_outages.explaining(silent):
        raise NoAnswerError("The API server did not answer.")
    assert failure.value.message.endswith("Nothing was changed.")


async def test_between_two_steps_the_next_was_not_begun() -> None:
    with pytest.raises(NoAnswerError) as failure, api_outages.explaining(silent) as listener:
        await run_steps([Step("wal", "WAL", _done)], listener)
        raise NoAnswerError("The API server did not answer.")
    assert failure.value.message.endswith("Done: WAL. What follows was not begun.")


@pytest.mark.parametrize(
    "workflow",
    [
        *(backup.backup, grow.grow, restore.restore, restore_postgres.restore_postgres),
        *(restore_end.finish_restore, restore_end.undo_restore, restore_redis.restore_redis),
        *(restore_vault.restore_vault, rotate.rotate, scale.scale, switchover.switchover),
    ],
    ids=lambda workflow: workflow.__name__,
)
def test_each_verb_explains_an_outage(workflow: Callable[..., object]) -> None:
    assert "listener" in inspect.signature(workflow).parameters
    assert workflow.__code__.co_qualname.startswith("explained.")
