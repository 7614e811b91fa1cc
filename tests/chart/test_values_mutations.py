"""Every rule of the schema is enforced: an invalid value is rejected with the name of its key."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from support.chart.mutations import Broken, breaks, rules
from support.chart.rendering import render
from support.chart.value_rules import Values
from support.chart.value_sets import value_sets
from vrooli.chart import golden
from vrooli.errors import UsageError

# Deterministic, so that a run that fails fails again; --long draws others each time.
EXAMPLES = settings(
    max_examples=250,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MORE = settings(EXAMPLES, max_examples=3000, derandomize=False)


@st.composite
def broken_sets(draw: st.DrawFn) -> Broken:
    """A set of values that violates one rule at one place."""
    base = draw(value_sets())
    breakages = list(breaks(base, draw(st.sampled_from(list(rules(base))))))
    assume(breakages)
    return draw(st.sampled_from(breakages))


def accepted(broken: Broken) -> str:
    """The problem if the chart accepts the values or reports another error; otherwise empty."""
    description = f"{broken.rule.keyword} at {broken.rule.pointer}"
    try:
        render(broken.values)
    except UsageError as refused:
        if not refused.message.startswith("The chart rejects these values"):
            return f"{description}: refused by a template: {refused.message}"
        return (
            "" if broken.names in refused.message else f"{description}: unnamed: {refused.message}"
        )
    return f"{description}: accepted"


@EXAMPLES
@given(broken=broken_sets())
def test_values_that_violate_one_rule_are_rejected(broken: Broken) -> None:
    assert accepted(broken) == ""


@pytest.mark.long
@pytest.mark.timeout(3000)
@MORE
@given(broken=broken_sets())
def test_many_values_that_violate_one_rule_are_rejected(broken: Broken) -> None:
    assert accepted(broken) == ""


def every_rule() -> dict[str, Broken]:
    """Each schema rule that applies to a golden case, violated once."""
    broken: dict[str, Broken] = {}
    for case in golden.CASES:
        case_values: Values = golden.settings(case)
        for rule in rules(case_values):
            if rule.text not in broken:
                broken.update(
                    (rule.text, breakage) for breakage in [*breaks(case_values, rule)][:1]
                )
    return broken


def test_every_rule_of_the_schema_is_enforced() -> None:
    every = every_rule()
    assert len(every) > 150
    assert [description for broken in every.values() if (description := accepted(broken))] == []
