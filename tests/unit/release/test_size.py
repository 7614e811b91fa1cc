"""What Helm could not store is told with its size, before Helm is asked."""

from __future__ import annotations

import random
import string

import pytest

from vrooli import project
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.release.records import size

DEV = ENVIRONMENTS["dev"]


def extra(count: int, length: int = 19_000) -> chart_values.Values:
    """Development's values, with settings of random letters, which don't compress well."""
    letters, source = string.ascii_letters + string.digits, random.Random(14)  # noqa: S311
    settings = {f"BIG_{i:02}": "".join(source.choices(letters, k=length)) for i in range(count)}
    return chart_values.merge(chart_values.load(DEV), {"config": {"extra": settings}})


def test_a_release_that_no_secret_holds_is_refused_with_its_largest_part() -> None:
    values = extra(40)
    rendering = engine.render_texts(values, release="a", namespace="b")
    with pytest.raises(UsageError) as refused:
        size.demand_fitting("a", project.chart_dir(), values, rendering)
    message = refused.value.message
    assert "too large" in message
    assert "1,048,576 (1 MiB)" in message
    assert "the values' config.extra, with 76" in message


@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_the_environments_releases_fit_by_far(name: str) -> None:
    environment = ENVIRONMENTS[name]
    values = chart_values.load(environment)
    rendering = engine.render_texts(
        values, release=environment.release, namespace=environment.namespace
    )
    measured = size.measure(project.chart_dir(), values, rendering)
    assert measured.packed < size.LIMIT / 3
