"""The test cases of diagnosis rules, and the assertion for each."""

from __future__ import annotations

from collections.abc import Mapping

from support.diagnosis.evidence import found
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule
from vrooli.redaction import Redactor

# By name: the resource that the rule names, and the evidence.
Cases = Mapping[str, tuple[str, Evidence]]


def assert_reported(rule: Rule, resource: str, evidence: Evidence) -> None:
    """Assert that a rule reports one symptom of a resource, with a command that can be shown."""
    assert found(rule, evidence) == [resource]
    (symptom,) = rule.find(evidence)
    assert symptom.message and symptom.remediation and symptom.command
    assert "None" not in f"{symptom.message} {symptom.command}"
    # A command with a mask in it is not printed.
    assert Redactor().text(symptom.command) == symptom.command
