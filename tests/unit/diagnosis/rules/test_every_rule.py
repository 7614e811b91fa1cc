"""What is true of every rule: its test file, and its silence on a healthy or an empty release."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.diagnosis.evidence import evidence, found
from support.diagnosis.healthy_release import healthy
from vrooli.diagnosis import catalog, rules
from vrooli.diagnosis.interface import Rule

DATA = (*catalog.BELOW, *catalog.DATA)


@pytest.mark.parametrize("rule", DATA, ids=lambda rule: rule.rule_id)
def test_a_rule_is_silent_on_healthy_data_stores(rule: Rule) -> None:
    assert found(rule, healthy()) == []


@pytest.mark.parametrize("rule", catalog.ALL, ids=lambda rule: rule.rule_id)
def test_a_rule_can_read_an_empty_namespace(rule: Rule) -> None:
    assert rule.rule_id in ("namespace-missing", "release-missing") or not found(rule, evidence())


def test_every_module_of_rules_has_a_test_file_of_its_name() -> None:
    sources, tests = Path(rules.__path__[0]), Path(__file__).parent
    modules = {
        path.relative_to(sources).with_name(f"test_{path.name}")
        for path in sources.glob("*/*.py")
        if path.stem != "__init__"
    }
    assert modules == {path.relative_to(tests) for path in tests.glob("*/test_*.py")}
