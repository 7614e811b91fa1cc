"""Whatever values the chart's schema accepts render, and a real API server takes every object."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from support.chart.value_rules import Values
from support.chart.value_sets import RELEASE, value_sets
from vrooli.chart import engine
from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited

NAMESPACE = "default"
# The definitions of Prometheus' operator are no part of the cluster.
UNKNOWN = ("monitoring.coreos.com/",)
# Deterministic, so that a run that fails fails again; --long draws others each time. The refusal
# names its key: smaller values say no more, and take minutes to find.
EXAMPLES = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MORE = settings(EXAMPLES, max_examples=1000, derandomize=False)


class Judge:
    """Asks the API server about each object once: most are alike in most value sets."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    async def refused(self, kube: Kube, manifests: Iterable[Manifest]) -> list[str]:
        """What the API server says against objects, in a strict dry run."""
        known = {json.dumps(found.body, sort_keys=True): found for found in manifests}
        new = {
            text: found
            for text, found in known.items()
            if text not in self._taken and not found.api_version.startswith(UNKNOWN)
        }
        said = await gather_limited(partial(self._ask, kube), new.values())
        self._taken |= {text for text, answer in zip(new, said, strict=True) if answer is None}
        return [answer for answer in said if answer is not None]

    async def _ask(self, kube: Kube, found: Manifest) -> str | None:
        try:
            await kube.applied(found.body, namespace=NAMESPACE)
        except VrooliError as error:
            return f"{found.key}: {error.message}"
        return None


@pytest.fixture
def judge() -> Judge:
    """One for each test: what it waits with belongs to the test's own event loop."""
    return Judge()


async def _check(kube: Kube, judge: Judge, values: Values, release: str) -> None:
    manifests = engine.render(values, release=release, namespace=NAMESPACE)
    assert await judge.refused(kube, manifests) == []


@EXAMPLES
@given(values=value_sets(), release=RELEASE)
async def test_what_the_schema_accepts_renders_and_is_accepted_by_the_api_server(
    bare_kube: Kube, judge: Judge, values: Values, release: str
) -> None:
    await _check(bare_kube, judge, values, release)


@pytest.mark.long
@pytest.mark.timeout(3000)
@MORE
@given(values=value_sets(), release=RELEASE)
async def test_what_the_schema_accepts_is_accepted_by_the_api_server_at_length(
    bare_kube: Kube, judge: Judge, values: Values, release: str
) -> None:
    await _check(bare_kube, judge, values, release)
