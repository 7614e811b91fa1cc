"""What is read in the operators' logs of changes that they can't make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vrooli.operators import reconcile_log

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


def series(count: int) -> list[float]:
    """When controller-runtime looks again after each failure, seconds."""
    return [0.005 * (2**number - 1) for number in range(count)]


def test_an_error_that_comes_again_and_again_holds() -> None:
    times = series(13)
    for number in range(1, len(times)):
        (error,) = reconcile_log.of_postgres([pgo(time) for time in times[:number]])
        assert error.holds(at(times[number])), f"after {number} errors"
    assert (error.namespace, error.name, error.message) == ("dev", "vrooli-pg", MESSAGE)


def test_an_error_that_does_not_come_again_is_over() -> None:
    (error,) = reconcile_log.of_postgres([pgo(0), pgo(0)])
    assert error.holds(at(2))
    assert not error.holds(at(3))


def test_two_errors_that_have_hours_between_them_are_no_series() -> None:
    (error,) = reconcile_log.of_postgres([pgo(0), pgo(7200)])
    assert error.holds(at(7202))
    assert not error.holds(at(7203))


def test_a_look_out_of_turn_does_not_shorten_the_next_pause() -> None:
    lines = [pgo(time) for time in (*series(12), 21)]
    (error,) = reconcile_log.of_postgres(lines)
    assert error.holds(at(40))


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
    assert reconcile_log.of_postgres([line]) == []


def test_what_was_written_before_a_change_does_not_count() -> None:
    assert reconcile_log.of_postgres([pgo(0)], since=at(1)) == []
    assert len(reconcile_log.of_postgres([pgo(2)], since=at(1))) == 1


def test_each_object_has_errors_of_its_own() -> None:
    errors = reconcile_log.of_postgres([pgo(0), pgo(1, "other", "another")])
    assert [(error.name, error.message) for error in errors] == [
        ("vrooli-pg", MESSAGE),
        ("another", "other"),
    ]


def redis(fields: str, message: str) -> str:
    """A line as the Redis operator's logger writes it."""
    return f'time="2026-06-01T12:00:00Z" level=warning msg="{message}" {fields} src="a.go:1"'


RESIZE = (
    r"resize pvc failed:persistentvolumeclaims \"data-rfr-vrooli-rf-0\" is forbidden: only "
    "dynamically provisioned pvc can be resized"
)
UPDATE = (
    r"error on object processing: StatefulSet.apps \"rfr-vrooli-rf\" is invalid: spec: Forbidden: "
    "updates to statefulset spec for fields other than"
)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("namespace=dev pvc=vrooli-rf-data-rfr-vrooli-rf-0", RESIZE),
        ("controller-id=redisfailover object-key=dev/vrooli-rf", UPDATE),
    ],
)
def test_what_the_redis_operator_is_refused_holds_until_its_next_look(
    fields: str, message: str
) -> None:
    (error,) = reconcile_log.of_redis([redis(fields, message)], "dev", "vrooli-rf")
    assert message.replace("\\", "") == error.message
    assert error.holds(at(30))
    assert not error.holds(at(40))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("object-key=dev/vrooli-rf", "error on object processing: dial tcp: i/o timeout"),
        ("object-key=other/vrooli-rf", UPDATE),
        ("object-key=dev/other-vrooli-rf", UPDATE),
        ("namespace=dev pvc=data-rfr-vrooli-rf2-0", RESIZE),
    ],
)
def test_others_and_what_passes_say_nothing_of_a_redis(fields: str, message: str) -> None:
    assert reconcile_log.of_redis([redis(fields, message)], "dev", "vrooli-rf") == []
