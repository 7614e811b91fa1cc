"""Which revisions stay to go back to."""

from __future__ import annotations

from vrooli.release.records.retention import LIMIT, find_surplus


def note(number: int, status: str = "superseded", *, ends: str = "") -> dict[str, str]:
    """The labels of a revision that worked, failed, or is a copy of another."""
    labels = {"version": str(number), "status": status, "vrooli.com/ready": str(number)}
    return {**labels, **({f"vrooli.com/{ends}": str(number)} if ends else {})}


def test_the_newest_that_worked_stay() -> None:
    notes = [*(note(number) for number in range(1, 15)), note(15, "deployed")]
    assert find_surplus(notes) == [1, 2, 3, 4]


def test_failed_deploys_and_their_ways_back_take_the_place_of_none_that_worked() -> None:
    good = [note(number) for number in range(1, 6)]
    bad = [
        item
        for number in range(6, 40, 2)
        for item in (note(number, ends="failed"), note(number + 1, ends="copy"))
    ]
    gone = find_surplus([*good, *bad, note(40, "deployed", ends="copy")])
    assert min(gone) == 6
    assert len(gone) == len(bad) - LIMIT


def test_without_a_way_back_the_one_that_worked_last_survives_failed_ones() -> None:
    failed = [note(number, ends="failed") for number in range(2, 30)]
    assert 1 not in find_surplus([note(1), *failed, note(30, "deployed", ends="failed")])
    by_helm = [note(number, "failed") for number in range(2, 30)]
    assert 1 not in find_surplus([note(1, "deployed"), *by_helm])


def test_a_label_of_an_older_revision_says_nothing_of_a_later_one() -> None:
    inherited = [{**note(number), "vrooli.com/failed": "1"} for number in range(2, 8)]
    assert find_surplus([note(1, ends="failed"), *inherited, note(8, "deployed")]) == []


def test_one_that_is_at_work_stays() -> None:
    notes = [note(1, "pending-upgrade"), *(note(number) for number in range(2, 14))]
    assert find_surplus(notes) == [2]


def test_one_whose_end_was_never_noted_takes_the_place_of_none_that_worked() -> None:
    ours = [{**note(number), "vrooli.com/revision": str(number)} for number in range(1, 3)]
    killed = [
        {"version": str(number), "status": "superseded", "vrooli.com/revision": str(number)}
        for number in range(3, 30)
    ]
    gone = find_surplus([*ours, *killed, note(30, "deployed")])
    assert gone == list(range(3, 30 - LIMIT))
