"""Checks run at once, each within its limit, and none stops another."""

from __future__ import annotations

import asyncio

import pytest

from support.fakes.check_site import check, site
from vrooli.checks import preflight, runner
from vrooli.checks.interface import CheckResult, Outcome, Site, State, UnavailableError
from vrooli.errors import PrerequisiteError
from vrooli.findings import Finding
from vrooli.kube import ApiError


async def _fine(site: Site) -> CheckResult:
    return CheckResult("is there")


async def _wrong(site: Site) -> CheckResult:
    return CheckResult("is there", (Finding("x", "Thing/a", "it is broken."),))


async def _for_ever(site: Site) -> CheckResult:
    await asyncio.Event().wait()
    return CheckResult()


def _raising(error: Exception) -> object:
    async def run(site: Site) -> CheckResult:
        raise error

    return run


async def test_findings_make_a_check_fail_and_none_make_it_ok() -> None:
    fine, wrong = await runner.run([check("a", _fine), check("b", _wrong)], site())
    assert (fine.state, fine.summary, fine.findings) == (State.OK, "is there", ())
    assert (wrong.state, wrong.findings[0].resource) == (State.FAILED, "Thing/a")


async def test_a_check_that_is_not_needed_is_not_looked_at_and_says_why() -> None:
    refusing = check("a", _raising(AssertionError()), skip_reason=lambda site: "no such values")
    (outcome,) = await runner.run([refusing], site())
    assert (outcome.state, outcome.summary) == (State.NOT_NEEDED, "no such values")


async def test_a_check_that_is_too_slow_is_ended_at_its_own_limit_and_the_others_are_told() -> None:
    checks = [check("slow", _for_ever, limit_s=0.2), check("quick", _fine)]
    async with asyncio.timeout(60):
        slow, quick = await runner.run(checks, site())
    assert (slow.state, quick.state) == (State.UNKNOWN, State.OK)
    assert "(check slow: looks at slow)" in slow.summary
    assert isinstance(slow.error, PrerequisiteError)
    assert slow.elapsed_s > 0.15


async def test_what_this_kubeconfig_may_not_see_is_said_and_the_rest_is_checked() -> None:
    forbidden = ApiError("list Node", 403, 'nodes is forbidden: User "x" cannot list')
    unseen, fine = await runner.run([check("a", _raising(forbidden)), check("b", _fine)], site())
    assert unseen.state is State.UNKNOWN
    assert unseen.summary.startswith("permission denied")
    assert runner.is_forbidden(unseen.error)
    assert fine.state is State.OK


async def test_errors_of_checks_at_once_are_told_as_what_they_say() -> None:
    async def both(site: Site) -> CheckResult:
        async with asyncio.TaskGroup() as group:
            group.create_task(_raising(PrerequisiteError("it is gone"))(site))  # type: ignore[operator]
        return CheckResult()

    (outcome,) = await runner.run([check("a", both)], site())
    assert (outcome.state, outcome.summary) == (State.UNKNOWN, "it is gone")


async def test_a_fault_of_our_own_is_not_taken_for_something_unseen() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await runner.run([check("a", _raising(KeyError("x")))], site())
    assert raised.group_contains(KeyError)


async def test_what_follows_from_a_failed_check_is_not_looked_at() -> None:
    checks = [check("after", _wrong, after=("first",)), check("first", _wrong)]
    after, first = await runner.run(checks, site())
    assert (first.state, after.state, after.findings) == (State.FAILED, State.UNKNOWN, ())
    assert "it depends on “First”" in after.summary


async def test_what_stands_on_a_check_that_is_not_among_these_is_looked_at() -> None:
    (outcome,) = await runner.run([check("after", _fine, after=("first",))], site())
    assert outcome.state is State.OK


async def test_parts_that_could_not_be_seen_stand_beside_what_was_found() -> None:
    observed = CheckResult("ready", unavailable=("its rights",))
    assert runner.judged(check("a", _fine), observed).summary == "ready; not checked: its rights"
    assert runner.judged(check("a", _fine), observed).state is State.OK
    nothing = runner.judged(check("a", _fine), CheckResult(unavailable=("all of it",)))
    assert nothing.state is State.UNKNOWN


def test_a_warning_is_told_and_fails_nothing() -> None:
    outcome = runner.judged(check("a", _fine), CheckResult("ready", warnings=("run it once",)))
    assert (outcome.state, outcome.summary) == (State.OK, "ready; warning: run it once")
    assert preflight.warnings([outcome]) == "warning: run it once"


async def test_what_several_checks_look_at_is_asked_for_once() -> None:
    requests = []

    async def run(where: Site) -> CheckResult:
        async def make() -> str:
            requests.append(1)
            await asyncio.sleep(0.01)
            return "one"

        return CheckResult(await where.shared.get("key", make))

    outcomes = await runner.run([check("a", run), check("b", run)], site())
    assert [outcome.summary for outcome in outcomes] == ["one", "one"]
    assert len(requests) == 1


async def test_the_time_of_one_check_does_not_take_what_another_waits_for() -> None:
    async def run(where: Site) -> CheckResult:
        async def make() -> str:
            await asyncio.sleep(0.3)
            return "late"

        return CheckResult(await where.shared.get("key", make))

    hasty, patient = await runner.run([check("a", run, limit_s=0.05), check("b", run)], site())
    assert (hasty.state, patient.summary) == (State.UNKNOWN, "late")


async def test_checks_that_wait_for_others_end_with_all_of_them() -> None:
    checks = [check("first", _for_ever, limit_s=0.2), check("then", _for_ever, after=("first",))]
    async with asyncio.timeout(60):
        outcomes = await runner.run(checks, site(), limit_s=0.5)
    assert [outcome.state for outcome in outcomes] == [State.UNKNOWN] * 2


async def test_each_outcome_is_told_as_it_comes() -> None:
    reported: list[Outcome] = []
    checks = [check("slow", _for_ever, limit_s=0.1), check("quick", _fine)]
    outcomes = await runner.run(checks, site(), reported.append)
    assert [outcome.check.name for outcome in reported] == ["quick", "slow"]
    assert [outcome.check.name for outcome in outcomes] == ["slow", "quick"]


async def test_an_unseen_error_carries_its_words() -> None:
    (outcome,) = await runner.run([check("a", _raising(UnavailableError("from afar")))], site())
    assert (outcome.state, outcome.summary) == (State.UNKNOWN, "from afar")
