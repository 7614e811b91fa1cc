"""Every rule of the schema is enforced: an invalid value is rejected with the name of its key."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.chart.mutations import Broken, Rule, breaks, rules
from support.chart.rendering import render
from support.chart.value_rules import Values
from support.chart.value_sets import value_sets
from vrooli.chart import golden
from vrooli.errors import UsageError

# Sets of values, and the different rules that are broken one by one in each: to draw a set takes
# longer than to break a rule in it.
SETS, MORE_SETS, RULES = 25, 500, 6
# Deterministic, so that a run that fails fails again; --long draws others each time. The problems
# name the rule and the place, which a smaller set of values would not make clearer.
EXAMPLES = settings(
    max_examples=SETS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MORE = settings(EXAMPLES, max_examples=MORE_SETS, derandomize=False)


@st.composite
def broken_sets(draw: st.DrawFn) -> list[Broken]:
    """A set of values, in which each result violates another rule at one place."""
    base = draw(value_sets())
    random = Random(draw(st.integers(0, 2**32)))  # noqa: S311
    places: dict[str, list[Rule]] = {}
    for rule in rules(base):
        places.setdefault(rule.text, []).append(rule)
    chosen = [random.choice(same) for same in random.sample(list(places.values()), RULES)]
    return [random.choice(found) for rule in chosen if (found := list(breaks(base, rule)))]


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
def test_values_that_violate_one_rule_are_rejected(broken: list[Broken]) -> None:
    assert [problem for each in broken if (problem := accepted(each))] == []


@pytest.mark.long
@pytest.mark.timeout(3000)
@MORE
@given(broken=broken_sets())
def test_many_values_that_violate_one_rule_are_rejected(broken: list[Broken]) -> None:
    assert [problem for each in broken if (problem := accepted(each))] == []


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
