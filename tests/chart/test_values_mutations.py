"""Every rule of the schema is enforced: values that break one are refused by the key's name."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from support.agreement import Values
from support.mutations import Broken, breaks, rules
from support.rendering import render
from support.valuesets import value_sets
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
    """A set of values in which one rule is broken, in one way."""
    found = draw(value_sets())
    ways = list(breaks(found, draw(st.sampled_from(list(rules(found))))))
    assume(ways)
    return draw(st.sampled_from(ways))


def accepted(broken: Broken) -> str:
    """What is wrong with how the chart takes broken values; nothing when it refuses them."""
    said = f"{broken.rule.keyword} at {broken.rule.pointer}"
    try:
        render(broken.values)
    except UsageError as refused:
        if not refused.message.startswith("The chart refuses these values"):
            return f"{said}: refused by a template: {refused.message}"
        return "" if broken.names in refused.message else f"{said}: unnamed: {refused.message}"
    return f"{said}: accepted"


@EXAMPLES
@given(broken=broken_sets())
def test_a_set_of_values_with_one_rule_broken_is_refused(broken: Broken) -> None:
    assert accepted(broken) == ""


@pytest.mark.long
@pytest.mark.timeout(3000)
@MORE
@given(broken=broken_sets())
def test_sets_of_values_with_one_rule_broken_are_refused_at_length(broken: Broken) -> None:
    assert accepted(broken) == ""


def every_rule() -> dict[str, Broken]:
    """Each rule of the schema that the golden cases show, broken once."""
    found: dict[str, Broken] = {}
    for case in golden.CASES:
        given_values: Values = golden.settings(case)
        for rule in rules(given_values):
            if rule.text not in found:
                found.update((rule.text, way) for way in [*breaks(given_values, rule)][:1])
    return found


def test_every_rule_of_the_schema_refuses_what_breaks_it() -> None:
    every = every_rule()
    assert len(every) > 150
    assert [said for broken in every.values() if (said := accepted(broken))] == []
