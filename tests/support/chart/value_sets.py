"""Complete sets of values that the chart accepts: a golden case with some keys randomized."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from support.chart import schema
from support.chart.value_rules import Values, agreeing
from vrooli.chart import golden, values

MOST_CHANGES = 25
_settings = cache(golden.settings)
LONGEST_RELEASE = 53
# Any name that Helm lets a release have.
_ANY_RELEASE = schema.matching(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
).filter(lambda name: len(name) <= LONGEST_RELEASE)
# Mostly the same one, so that what the values don't change stays as it was and is judged once.
RELEASE = st.sampled_from(range(8)).flatmap(lambda n: _ANY_RELEASE if n == 1 else st.just("vrooli"))


@st.composite
def value_sets(draw: st.DrawFn) -> Values:
    """A golden case's values with some keys changed to what the schema accepts there."""
    result = _settings(draw(st.sampled_from(golden.CASES)))
    changes = st.lists(st.sampled_from(schema.leaves()), max_size=MOST_CHANGES)
    for path, node in draw(changes):
        result = values.merge(result, nested(path, draw(schema.accepted(node))))
    return agreeing(result)


def nested(path: schema.Path, value: Any) -> Values:
    """A value at its path, as a set of values."""
    for key in reversed(path):
        value = {key: value}
    return dict(value)
