"""The fields of a line of an operator's log; any pod with its labels may write such lines."""

from __future__ import annotations

import time

import pytest

from vrooli.operators.reconcile_log import parse_fields
from vrooli.operators.reconciliation import samples

# Takes milliseconds; in quadratic time it would take minutes.
LENGTH, LIMIT_S = 200_000, 10.0


def test_fields_are_read_with_and_without_quotes() -> None:
    line = r'time="x y" a.b-c=d msg="say \"hi\"\nthere" e= "f=g"'
    assert parse_fields(line) == {
        "time": "x y",
        "a.b-c": "d",
        "msg": 'say "hi" there',
        "e": "",
        "f": 'g"',
    }


@pytest.mark.parametrize("part", ["a", "a.", 'a="', 'a="\\', "-", "a b", '"'])
def test_a_long_line_takes_linear_time(part: str) -> None:
    began = time.process_time()
    parse_fields(part * (LENGTH // len(part)))
    list(samples(f"total{{{part * (LENGTH // len(part))}}} 1", "total"))
    assert time.process_time() - began < LIMIT_S
