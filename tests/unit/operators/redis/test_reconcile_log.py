"""Errors that the Redis operator repeats in its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vrooli.operators.reconcile_log import ObjectLog
from vrooli.operators.redis.reconcile_log import reconcile_errors

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment of the test."""
    return START + timedelta(seconds=seconds)


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
    (error,) = reconcile_errors(ObjectLog([redis(fields, message)], "dev", "vrooli-rf"))
    assert message.replace("\\", "") == error.message
    assert error.is_current(at(30))
    assert not error.is_current(at(40))


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
    assert reconcile_errors(ObjectLog([redis(fields, message)], "dev", "vrooli-rf")) == []
