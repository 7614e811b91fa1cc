"""Errors that PGO repeats in its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vrooli.operators.pgo import reconcile_log
from vrooli.operators.reconcile_log import ObjectLog, ReconcileError

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
MESSAGE = (
    'StatefulSet.apps "vrooli-pg-instance1-abcd" is invalid: '
    "spec.template.spec.containers[0].image: Required value"
)


def at(seconds: float) -> datetime:
    """A moment of the test."""
    return START + timedelta(seconds=seconds)


def pgo(seconds: float, message: str = MESSAGE, name: str = "vrooli-pg") -> str:
    """A line as PGO's logger writes it, in whole seconds."""
    time = at(int(seconds)).isoformat().replace("+00:00", "Z")
    quoted = message.replace('"', '\\"')
    return (
        f'time="{time}" level=error msg="Reconciler error" PostgresCluster="dev/{name}" '
        f"controller=postgrescluster controllerGroup=postgres-operator.crunchydata.com "
        f'error="{quoted}" file="internal/controller/postgrescluster/apply.go:59" '
        f'name={name} namespace=dev reconcileID="1-2" version=5.4'
    )


def errors(lines: list[str], name: str = "vrooli-pg", **given: Any) -> list[ReconcileError]:
    """The errors about a PostgresCluster in the namespace dev."""
    return reconcile_log.reconcile_errors(ObjectLog(lines, "dev", name, **given))


def series(count: int) -> list[float]:
    """When controller-runtime looks again after each failure, seconds."""
    return [0.005 * (2**number - 1) for number in range(count)]


def test_an_error_that_comes_again_and_again_holds() -> None:
    times = series(13)
    for number in range(1, len(times)):
        (error,) = errors([pgo(time) for time in times[:number]])
        assert error.is_current(at(times[number])), f"after {number} errors"
    assert (error.namespace, error.name, error.message) == ("dev", "vrooli-pg", MESSAGE)


def test_an_error_that_does_not_come_again_is_over() -> None:
    (error,) = errors([pgo(0), pgo(0)])
    assert error.is_current(at(2))
    assert not error.is_current(at(3))


def test_two_errors_that_have_hours_between_them_are_no_series() -> None:
    (error,) = errors([pgo(0), pgo(7200)])
    assert error.is_current(at(7202))
    assert not error.is_current(at(7203))


def test_a_look_out_of_turn_does_not_shorten_the_next_pause() -> None:
    lines = [pgo(time) for time in (*series(12), 21)]
    (error,) = errors(lines)
    assert error.is_current(at(40))


@pytest.mark.parametrize(
    "line",
    [
        pgo(0, "Operation cannot be fulfilled: the object has been modified"),
        'time="2026-06-01T12:00:00Z" level=info msg="reconciled cluster" name=vrooli-pg',
        'level=error msg="Reconciler error" error=dang name=vrooli-pg namespace=dev',
        "panic: no such thing",
        "",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert errors([line]) == []


def test_what_was_written_before_a_change_does_not_count() -> None:
    assert errors([pgo(0)], since=at(1)) == []
    assert len(errors([pgo(2)], since=at(1))) == 1


def test_each_object_has_errors_of_its_own() -> None:
    lines = [pgo(0), pgo(1, "other", "another")]
    assert [error.message for error in errors(lines)] == [MESSAGE]
    assert [error.message for error in errors(lines, "another")] == ["other"]
