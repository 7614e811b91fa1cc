"""The chart's five tests pass in the live release, by our command and by the helm program."""

from __future__ import annotations

import asyncio

import pytest

from support.live import Live
from vrooli import process, programs
from vrooli.events import Progress, silent
from vrooli.workflows.test import SuiteOptions, run_suites

pytestmark = pytest.mark.root

# The specification's, each in a file of its own.
TESTS = ("configmap-value", "jobs", "nsfw-detector", "server", "ui")
HELM_S = 300.0


def test_by_our_command(live: Live) -> None:
    options = SuiteOptions(("live",), live.environment, cluster=live.cluster)
    result = asyncio.run(run_suites(options, silent))
    assert result.ok, [case for case in result.cases if not case.passed]
    assert [case.name for case in result.cases] == [f"vrooli-dev-{name}-test" for name in TESTS]


async def test_by_the_helm_program(live: Live) -> None:
    helm = (await programs.ensure(["helm"], Progress()))["helm"]
    answer = await process.run(
        [helm, "test", live.environment.release, "--namespace", live.environment.namespace],
        env={"KUBECONFIG": str(live.kubeconfig)},
        timeout_s=HELM_S,
    )
    assert answer.output.count("Phase:") == len(TESTS)
    assert answer.output.count("Succeeded") == len(TESTS)
