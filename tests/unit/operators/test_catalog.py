"""A new operator is its package and an entry in the catalog: nothing else needs to know it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

# The catalog with a fourth operator, in a process of its own: its readers read it as they load.
FOURTH = """
import json
from dataclasses import replace

from vrooli import operators
from vrooli.kube.snapshot import Snapshot
from vrooli.operators import catalog
from vrooli.operators.custom_resource import CustomResource
from vrooli.operators.redis.operator import FAILOVER, REDIS

queue = replace(
    FAILOVER, api_version="queue.example/v1", kind="Queue", plural="queues",
    pod_label="queue.example/name", readiness=lambda body, objects: "no broker is ready",
)
fourth = replace(
    REDIS, name="queue-operator", namespace="queue-system", selector="app=queue-operator",
    resources=(queue,), sample={"kind": "Queue"},
)
catalog.OPERATORS = operators.OPERATORS = (*operators.OPERATORS, fourth)

from vrooli.checks import catalog as checks
from vrooli.checks.cluster import api_resources
from vrooli.checks.data import changes
from vrooli.diagnosis.evidence.collection import discovery, kinds, logs, requirements
from vrooli.diagnosis.remedies import operators as remedies
from vrooli.release.rollout import operator_logs, progress, readiness
from vrooli.workflows.checks import fix

body = {"kind": "Queue", "metadata": {"name": "jobs"}, "spec": {"redis": {}, "sentinel": {}}}
print(json.dumps({
    "readiness": readiness.RULES["Queue"](body, Snapshot()),
    "progress": "Queue" in progress.FACTS,
    "operator logs": "Queue" in operator_logs.BY_KIND,
    "check": "queue-operator" in [check.name for check in checks.ALL],
    "check of the kinds": api_resources.SERVED_BY["queue.example"].name,
    "check of the data": "Queue" in changes.KINDS,
    "fix": fix.OWNERS["Queue"],
    "evidence": ["queue.example/v1", "Queue"] in [list(kind) for kind in kinds.OF_OPERATORS],
    "evidence of the namespace": "queue-system" in kinds.BELOW,
    "evidence in any namespace": "app=queue-operator" in discovery.KINDS["apps/v1", "Deployment"],
    "logs": "queue-system" in logs.NAMESPACES and "queue.example/name" in logs.DATA,
    "required kinds": "Queue" in requirements.OF_RELEASE,
    "remedies": remedies.KINDS["Queue"],
}))
"""
EXPECTED = {
    "readiness": "no broker is ready",
    "check of the kinds": "queue-operator",
    "fix": "queue-operator",
    "remedies": "queue.example/name",
}


@pytest.fixture(scope="module")
def readers() -> dict[str, Any]:
    """What each reader of the catalog makes of a fourth operator."""
    argv = [sys.executable, "-c", FOURTH]
    output = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def test_each_reader_of_the_catalog_knows_a_fourth_operator(readers: dict[str, Any]) -> None:
    assert readers == {name: EXPECTED.get(name, True) for name in readers}
