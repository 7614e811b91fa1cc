"""The chart's five tests pass in the live release, by our command."""

from __future__ import annotations

import asyncio

import pytest

from support.cluster.live import Live
from vrooli.events import silent
from vrooli.workflows.suites.test import SuiteOptions, run_suites

pytestmark = pytest.mark.root

# The specification's, each in a file of its own.
TESTS = ("configmap-value", "jobs", "nsfw-detector", "server", "ui")


def test_by_our_command(live: Live) -> None:
    options = SuiteOptions(("live",), live.environment, cluster=live.cluster)
    result = asyncio.run(run_suites(options, silent))
    assert result.ok, [case for case in result.cases if not case.passed]
    assert [case.name for case in result.cases] == [f"vrooli-dev-{name}-test" for name in TESTS]
