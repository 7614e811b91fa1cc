"""Checks run at once, each within its limit, and none stops another."""

from __future__ import annotations

import asyncio
import time

import pytest

from support.checking import check, site
from vrooli.checks import preflight, runner
from vrooli.checks.interface import Outcome, Seen, Site, State, UnseenError
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError


async def _fine(site: Site) -> Seen:
    return Seen("is there")


async def _wrong(site: Site) -> Seen:
    return Seen("is there", (Finding("x", "Thing/a", "it is broken."),))


async def _for_ever(site: Site) -> Seen:
    await asyncio.Event().wait()
    return Seen()


def _raising(error: VrooliError) -> object:
    async def look(site: Site) -> Seen:
        raise error

    return look


async def test_findings_make_a_check_fail_and_none_make_it_ok() -> None:
    fine, wrong = await runner.run([check("a", _fine), check("b", _wrong)], site())
    assert (fine.state, fine.found, fine.findings) == (State.OK, "is there", ())
    assert (wrong.state, wrong.findings[0].resource) == (State.FAILED, "Thing/a")


async def test_a_check_that_is_not_needed_is_not_looked_at_and_says_why() -> None:
    refusing = check("a", _raising(AssertionError()), needless=lambda site: "no such values")
    (outcome,) = await runner.run([refusing], site())
    assert (outcome.state, outcome.found) == (State.NOT_NEEDED, "no such values")


async def test_a_check_that_is_too_slow_is_ended_at_its_own_limit_and_the_others_are_told() -> None:
    began = time.monotonic()
    checks = [check("slow", _for_ever, limit_s=0.2), check("quick", _fine)]
    slow, quick = await runner.run(checks, site())
    assert time.monotonic() - began < 2
    assert (slow.state, quick.state) == (State.UNKNOWN, State.OK)
    assert "(check slow: looks at slow)" in slow.found
    assert isinstance(slow.error, PrerequisiteError)
    assert 0.15 < slow.elapsed_s < 2


async def test_what_this_kubeconfig_may_not_see_is_said_and_the_rest_is_checked() -> None:
    forbidden = ApiError("list Node", 403, 'nodes is forbidden: User "x" cannot list')
    unseen, fine = await runner.run([check("a", _raising(forbidden)), check("b", _fine)], site())
    assert unseen.state is State.UNKNOWN
    assert unseen.found.startswith("this kubeconfig may not look")
    assert runner.is_forbidden(unseen.error)
    assert fine.state is State.OK


async def test_errors_of_checks_at_once_are_told_as_what_they_say() -> None:
    async def both(site: Site) -> Seen:
        async with asyncio.TaskGroup() as group:
            group.create_task(_raising(PrerequisiteError("it is gone"))(site))  # type: ignore[operator]
        return Seen()

    (outcome,) = await runner.run([check("a", both)], site())
    assert (outcome.state, outcome.found) == (State.UNKNOWN, "it is gone")


async def test_a_fault_of_our_own_is_not_taken_for_something_unseen() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await runner.run([check("a", _raising(KeyError("x")))], site())  # type: ignore[arg-type]
    assert raised.group_contains(KeyError)


async def test_what_follows_from_a_failed_check_is_not_looked_at() -> None:
    checks = [check("after", _wrong, after=("first",)), check("first", _wrong)]
    after, first = await runner.run(checks, site())
    assert (first.state, after.state, after.findings) == (State.FAILED, State.UNKNOWN, ())
    assert "it follows from “First”" in after.found


async def test_what_stands_on_a_check_that_is_not_among_these_is_looked_at() -> None:
    (outcome,) = await runner.run([check("after", _fine, after=("first",))], site())
    assert outcome.state is State.OK


async def test_parts_that_could_not_be_seen_stand_beside_what_was_found() -> None:
    seen = Seen("ready", unseen=("its rights",))
    assert runner.judged(check("a", _fine), seen).found == "ready; not seen: its rights"
    assert runner.judged(check("a", _fine), seen).state is State.OK
    nothing = runner.judged(check("a", _fine), Seen(unseen=("all of it",)))
    assert nothing.state is State.UNKNOWN


def test_a_warning_is_told_and_fails_nothing() -> None:
    outcome = runner.judged(check("a", _fine), Seen("ready", warnings=("run it once",)))
    assert (outcome.state, outcome.found) == (State.OK, "ready; warning: run it once")
    assert preflight.warnings([outcome]) == "warning: run it once"


async def test_what_several_checks_look_at_is_asked_for_once() -> None:
    asked = []

    async def look(where: Site) -> Seen:
        async def make() -> str:
            asked.append(1)
            await asyncio.sleep(0.01)
            return "one"

        return Seen(await where.shared.get("key", make))

    outcomes = await runner.run([check("a", look), check("b", look)], site())
    assert [outcome.found for outcome in outcomes] == ["one", "one"]
    assert len(asked) == 1


async def test_the_time_of_one_check_does_not_take_what_another_waits_for() -> None:
    async def look(where: Site) -> Seen:
        async def make() -> str:
            await asyncio.sleep(0.3)
            return "late"

        return Seen(await where.shared.get("key", make))

    hasty, patient = await runner.run([check("a", look, limit_s=0.05), check("b", look)], site())
    assert (hasty.state, patient.found) == (State.UNKNOWN, "late")


async def test_checks_that_wait_for_others_end_with_all_of_them() -> None:
    began = time.monotonic()
    checks = [check("first", _for_ever, limit_s=0.2), check("then", _for_ever, after=("first",))]
    outcomes = await runner.run(checks, site(), limit_s=0.5)
    assert time.monotonic() - began < 3
    assert [outcome.state for outcome in outcomes] == [State.UNKNOWN] * 2


async def test_each_outcome_is_told_as_it_comes() -> None:
    told: list[Outcome] = []
    checks = [check("slow", _for_ever, limit_s=0.1), check("quick", _fine)]
    outcomes = await runner.run(checks, site(), told.append)
    assert [outcome.check.name for outcome in told] == ["quick", "slow"]
    assert [outcome.check.name for outcome in outcomes] == ["slow", "quick"]


async def test_an_unseen_error_carries_its_words() -> None:
    (outcome,) = await runner.run([check("a", _raising(UnseenError("from afar")))], site())
    assert (outcome.state, outcome.found) == (State.UNKNOWN, "from afar")
