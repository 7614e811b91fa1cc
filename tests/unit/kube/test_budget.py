"""Requests take queue, the important ones first, and are tried again while that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from vrooli.kube import ApiError, NoAnswerError, Priority, RequestBudget, budget
from vrooli.kube.budget import RequestQueue, RequestTimeoutError


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PAUSE_S", 0.001)
    monkeypatch.setattr(budget, "LONGEST_PAUSE_S", 0.002)


def failing(*errors: Exception) -> tuple[Callable[[float], Awaitable[str]], list[float]]:
    """A request that ends with each of these before it gives an answer; and its limits."""
    waiting, limits = list(errors), []

    async def request(limit_s: float) -> str:
        limits.append(limit_s)
        if waiting:
            raise waiting.pop(0)
        return "answer"

    return request, limits


def busy(status: int = 429, retry_after_s: float | None = None) -> ApiError:
    return ApiError("list Pod", status, "busy", retry_after_s=retry_after_s)


CUT = NoAnswerError("The connection broke off.")


@pytest.mark.anyio
@pytest.mark.parametrize("error", [busy(429), busy(503), busy(504), busy(500), CUT])
async def test_what_may_pass_is_asked_again(error: Exception) -> None:
    request, limits = failing(error, error)
    assert await RequestBudget(60).run("Pod", request) == "answer"
    assert len(limits) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_refusal_is_not_asked_again(status: int) -> None:
    request, limits = failing(busy(status), busy(status))
    with pytest.raises(ApiError) as raised:
        await RequestBudget(60).run("Pod", request)
    assert (raised.value.status, len(limits)) == (status, 1)


@pytest.mark.anyio
async def test_a_busy_server_is_asked_as_often_as_it_takes_and_a_broken_one_is_not() -> None:
    request, limits = failing(*[busy()] * 20)
    assert await RequestBudget(60).run("Pod", request) == "answer"
    assert len(limits) == 21
    request, limits = failing(*[busy(500)] * 20)
    with pytest.raises(ApiError):
        await RequestBudget(60).run("Pod", request)
    assert len(limits) == budget.MAX_ATTEMPTS


@pytest.mark.anyio
async def test_what_nothing_depends_on_is_tried_a_few_times_only() -> None:
    request, limits = failing(*[busy()] * 20)
    with pytest.raises(ApiError):
        await RequestBudget(60).run("Node", request, priority=Priority.OPTIONAL)
    assert len(limits) == budget.OPTIONAL_MAX_ATTEMPTS
    request, limits = failing(busy(500))
    with pytest.raises(ApiError):
        await RequestBudget(60).run("Node", request, priority=Priority.OPTIONAL)
    assert len(limits) == 1


@pytest.mark.anyio
async def test_the_server_names_the_time_after_which_it_is_asked_again() -> None:
    request, _ = failing(busy(429, retry_after_s=0.2))
    budget = RequestBudget(60)
    assert await budget.run("Pod", request) == "answer"
    assert budget.elapsed_s >= 0.2


@pytest.mark.anyio
async def test_a_rest_that_ends_after_the_budget_is_not_begun() -> None:
    request, limits = failing(busy(429, retry_after_s=600))
    budget = RequestBudget(60)
    with pytest.raises(ApiError):
        await budget.run("Pod", request)
    assert len(limits) == 1
    assert budget.elapsed_s < 30


@pytest.mark.anyio
async def test_what_is_never_answered_ends_with_the_budget_and_says_how_long_it_was() -> None:
    async def never(limit_s: float) -> None:
        await asyncio.Event().wait()

    with pytest.raises(RequestTimeoutError, match="no answer within 0 s") as raised:
        await RequestBudget(0.1).run("Pod", never)
    assert "--timeout" in raised.value.advice


@pytest.mark.anyio
async def test_an_answer_says_more_than_a_last_attempt_that_the_budget_cuts_short() -> None:
    answers = [busy(503)]

    async def hangs(_: float) -> str:
        if answers:
            raise answers.pop()
        await asyncio.Event().wait()
        return ""

    with pytest.raises(ApiError) as raised:
        await RequestBudget(0.1).run("Pod", hangs)
    assert raised.value.status == 503


@pytest.mark.anyio
async def test_a_try_that_hangs_is_given_up_and_asked_again() -> None:
    tries = []

    async def hangs_once(limit_s: float) -> str:
        tries.append(limit_s)
        if len(tries) == 1:
            await asyncio.Event().wait()
        return "answer"

    assert await RequestBudget(60).run("Pod", hangs_once, limit_s=0.05) == "answer"


@pytest.mark.anyio
async def test_so_many_are_asked_at_a_time_and_the_important_ones_first() -> None:
    running, most, order = 0, 0, []

    async def request(name: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        order.append(name)
        await asyncio.sleep(0.005)
        running -= 1

    async def request_by(name: str, limit_s: float) -> None:
        await request(name)

    budget = RequestBudget(60, RequestQueue(2))
    async with asyncio.TaskGroup() as group:
        for priority, names in ((Priority.OPTIONAL, "abcd"), (Priority.REQUIRED, "ABCD")):
            for name in names:
                ask = budget.run(name, partial(request_by, name), priority=priority)
                group.create_task(ask)
    assert most == 2
    # Two had begun before anything of importance came.
    assert "".join(order) == "abABCDcd"


@pytest.mark.anyio
async def test_a_turn_that_nobody_wants_any_more_goes_to_the_next() -> None:
    queue = RequestQueue(1)
    await queue.acquire(0)
    first, second = (asyncio.create_task(queue.acquire(0)) for _ in range(2))
    await asyncio.sleep(0)
    queue.release()
    first.cancel()  # in the moment in which it is its turn
    async with asyncio.timeout(60):
        await second
    queue.release()
    async with asyncio.timeout(60):
        await queue.acquire(0)


@pytest.mark.anyio
async def test_who_never_gets_a_turn_is_told_that_it_was_not_asked() -> None:
    queue = RequestQueue(1)
    await queue.acquire(0)
    request, limits = failing()
    with pytest.raises(RequestTimeoutError, match="not asked within"):
        await RequestBudget(0.05, queue).run("Pod", request)
    assert limits == []


@pytest.mark.anyio
async def test_it_can_say_what_it_waits_for() -> None:
    budget, gate = RequestBudget(60), asyncio.Event()

    async def waits(limit_s: float) -> None:
        await gate.wait()

    asking = asyncio.create_task(budget.run("Pod in dev", waits))
    await asyncio.sleep(0.01)
    assert budget.format_waiting() == "Pod in dev (0 s)"
    gate.set()
    await asking
    assert budget.format_waiting() == ""
