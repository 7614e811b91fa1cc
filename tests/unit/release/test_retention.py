"""Which revisions stay to go back to."""

from __future__ import annotations

from vrooli.release.records.retention import LIMIT, find_surplus


def record_(number: int, status: str = "superseded", *, ends: str = "") -> dict[str, str]:
    """The labels of a revision that worked, failed, or is a copy of another."""
    labels = {"version": str(number), "status": status, "vrooli.com/ready": str(number)}
    return {**labels, **({f"vrooli.com/{ends}": str(number)} if ends else {})}


def test_the_newest_that_worked_stay() -> None:
    records_ = [*(record_(number) for number in range(1, 15)), record_(15, "deployed")]
    assert find_surplus(records_) == [1, 2, 3, 4]


def test_failed_deploys_and_their_rollbacks_take_the_place_of_none_that_worked() -> None:
    good = [record_(number) for number in range(1, 6)]
    bad = [
        item
        for number in range(6, 40, 2)
        for item in (record_(number, ends="failed"), record_(number + 1, ends="copy"))
    ]
    missing = find_surplus([*good, *bad, record_(40, "deployed", ends="copy")])
    assert min(missing) == 6
    assert len(missing) == len(bad) - LIMIT


def test_without_a_rollback_the_one_that_worked_last_survives_failed_ones() -> None:
    failed = [record_(number, ends="failed") for number in range(2, 30)]
    assert 1 not in find_surplus([record_(1), *failed, record_(30, "deployed", ends="failed")])
    by_helm = [record_(number, "failed") for number in range(2, 30)]
    assert 1 not in find_surplus([record_(1, "deployed"), *by_helm])


def test_a_label_of_an_older_revision_reports_nothing_of_a_later_one() -> None:
    inherited = [{**record_(number), "vrooli.com/failed": "1"} for number in range(2, 8)]
    assert find_surplus([record_(1, ends="failed"), *inherited, record_(8, "deployed")]) == []


def test_one_that_is_at_work_stays() -> None:
    records_ = [record_(1, "pending-upgrade"), *(record_(number) for number in range(2, 14))]
    assert find_surplus(records_) == [2]


def test_one_whose_end_was_never_recorded_takes_the_place_of_none_that_worked() -> None:
    ours = [{**record_(number), "vrooli.com/revision": str(number)} for number in range(1, 3)]
    killed = [
        {"version": str(number), "status": "superseded", "vrooli.com/revision": str(number)}
        for number in range(3, 30)
    ]
    missing = find_surplus([*ours, *killed, record_(30, "deployed")])
    assert missing == list(range(3, 30 - LIMIT))
