"""What Helm could not store is told with its size, before Helm is asked."""

from __future__ import annotations

import random
import shutil
import string
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.release.records import size

DEV = ENVIRONMENTS["dev"]


def noise(length: int) -> str:
    """Random letters, which don't compress well."""
    source = random.Random(length)  # noqa: S311 - no secret
    return "".join(source.choices(string.ascii_letters + string.digits, k=length))


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
    assert "the values' config.extra (76" in message
    assert "the chart's file" not in message  # small ones do not help
    assert "Make the record smaller by 5" in refused.value.advice
    assert "ConfigMap" in refused.value.advice
    assert ".helmignore" not in refused.value.advice


def test_each_large_part_is_named_with_its_size(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(project.chart_dir(), chart)
    (chart / "dump.sql").write_text(noise(600_000))
    values = chart_values.merge(
        chart_values.load(DEV),
        {
            "config": {"extra": {"ONE": noise(300_000), "SMALL": "x"}},
            "services": {"server": {"extraEnv": {"TWO": noise(200_000)}}},
        },
    )
    rendering = engine.render_texts(values, release="a", namespace="b")
    with pytest.raises(UsageError) as refused:
        size.demand_fitting("a", chart, values, rendering)
    *_, parts = refused.value.message.partition("before compression: ")
    names = [part.partition(" (")[0] for part in parts.split(", ")]
    assert names == [
        "the chart's file dump.sql",
        "the values' config.extra.ONE",
        "the values' services.server.extraEnv.TWO",
    ]
    assert "(600,000 bytes), " in parts
    assert ".helmignore" in refused.value.advice


def test_equal_parts_are_named_together() -> None:
    """None of 40 settings is worth a name of its own."""
    measured = size.Size(0, tuple(size._sorted_parts({}, extra(40))))
    assert measured.largest()[0].name == "the values' config.extra"


@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_the_environments_releases_fit_by_far(name: str) -> None:
    environment = ENVIRONMENTS[name]
    values = chart_values.load(environment)
    rendering = engine.render_texts(
        values, release=environment.release, namespace=environment.namespace
    )
    measured = size.measure(project.chart_dir(), values, rendering)
    assert measured.packed < size.LIMIT / 3
