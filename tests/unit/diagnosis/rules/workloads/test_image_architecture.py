"""The rule image-architecture."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import evidence
from support.objects.workloads import ARM, ended, the_one
from vrooli.diagnosis.evidence.model import LogSource


@pytest.mark.parametrize("way", ["log", "state"])
def test_a_program_for_another_processor_is_named_with_the_nodes(way: str) -> None:
    words = "sh: 1: exec: /app: Exec format error"
    body = ended(126)
    logs = {}
    if way == "log":
        logs = {LogSource("dev", body["metadata"]["name"], "main", previous=True): [words]}
    else:
        last = body["status"]["containerStatuses"][0]["lastState"]["terminated"]
        last |= {"reason": "StartError", "message": words}
    body["spec"]["nodeName"] = "one"
    finding = the_one(evidence(body, ARM, logs=logs))
    assert finding.rule_id == "image-architecture"
    assert "the architecture of its node (arm64)" in finding.message
    assert words in finding.message
