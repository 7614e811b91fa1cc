"""What Helm could not store is told with its size, before Helm is asked."""

from __future__ import annotations

import random
import string

import pytest

from vrooli import project
from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.release.records import size as records_size

DEV = ENVIRONMENTS["dev"]


def extra(count: int, length: int = 19_000) -> values.Values:
    """Development's values, with settings of random letters, which don't compress well."""
    letters, source = string.ascii_letters + string.digits, random.Random(14)  # noqa: S311
    settings = {f"BIG_{i:02}": "".join(source.choices(letters, k=length)) for i in range(count)}
    return values.merge(values.load(DEV), {"config": {"extra": settings}})


def test_a_release_that_no_secret_holds_is_refused_with_its_largest_part() -> None:
    with pytest.raises(UsageError) as refused:
        records_size.demand_fitting(project.chart_dir(), extra(40), release="a", namespace="b")
    said = refused.value.message
    assert "too large" in said
    assert "1,048,576 (1 MiB)" in said
    assert "the values' config.extra, with 76" in said


@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_the_environments_releases_fit_by_far(name: str) -> None:
    found = ENVIRONMENTS[name]
    size = records_size.measure(
        project.chart_dir(), values.load(found), release=found.release, namespace=found.namespace
    )
    assert size.packed < records_size.LIMIT / 3
