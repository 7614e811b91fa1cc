"""A wait ends when its reason is gone, and never for want of an answer."""

from __future__ import annotations

import asyncio

import pytest

from vrooli.databases import polling
from vrooli.databases.polling import UNKNOWN, poll_reason
from vrooli.errors import VrooliError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.kube.api_errors import NoAnswerError

pytestmark = pytest.mark.anyio


async def test_each_new_reason_is_reported_until_there_is_none() -> None:
    answers = iter(["1 MiB behind", "1 MiB behind", "is starting", ""])
    events: list[Event] = []

    async def read() -> str:
        return next(answers)

    assert await poll_reason(read, 5, Progress("x", events.append), interval_s=0) == ""
    details = [event.detail for event in events if isinstance(event, StepProgressed)]
    assert details == ["waits: 1 MiB behind", "waits: is starting"]


async def test_the_last_reason_is_returned_at_the_limit() -> None:
    async def read() -> str:
        return "is starting"

    assert await poll_reason(read, 0.05, Progress(), interval_s=0.01) == "is starting"


async def test_no_answer_within_the_limit_is_a_reason() -> None:
    async def read() -> str:
        await asyncio.sleep(60)
        return ""

    assert await poll_reason(read, 0.05, Progress()) == UNKNOWN


def _outage() -> VrooliError:
    return NoAnswerError("The API server did not answer.")


async def test_an_outage_is_a_reason_to_wait() -> None:
    answers: list[str | VrooliError] = ["", _outage(), _outage(), "it starts"]

    async def read() -> str:
        answer = answers.pop()
        if isinstance(answer, VrooliError):
            raise answer
        return answer

    assert await polling.poll_reason(read, 60, Progress(), interval_s=0) == ""
    assert answers == []


async def test_an_outage_without_end_and_another_error_are_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "OUTAGE_S", 0.02)

    async def read() -> str:
        raise error

    for error in (_outage(), VrooliError("refused")):
        with pytest.raises(type(error)):
            await polling.poll_reason(read, 60, Progress(), interval_s=0.01)
