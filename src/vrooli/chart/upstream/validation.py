"""Validation of converted values: what the chart rejects is removed, with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from vrooli.chart import engine
from vrooli.chart.engine import ValueProblem
from vrooli.chart.upstream import keys
from vrooli.chart.upstream.conversion import Entry, Outcome
from vrooli.chart.upstream.keys import Path
from vrooli.chart.upstream.output import Output

# Each round removes at least one value; more rounds than that never happen with a closed schema.
_ROUNDS = 50
_ADDITIONAL = re.compile(r"additional properties (?P<names>.*) not allowed")
_QUOTED = re.compile(r"'([^']*)'")
# Where this chart has what a mapping with fixed keys has no place for.
_FURTHER: dict[Path, str] = {
    ("vso", "secrets"): " Add a further secret to `vso.extraSecrets`, by its name.",
}
# The place in a template that rejects values.
_TEMPLATE = re.compile(r"execution error at \(\S+\): ")
_PATTERN = re.compile(r"'.*' does not match pattern ", re.DOTALL)


def validated(output: Output, entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Remove the values that the chart rejects.

    Args:
        output: The converted values; they are changed.
        entries: The entry of each of upstream's keys.

    Returns:
        The entries, with the reason for each removed value, and what the values still lack.
    """
    reasons: dict[str, str] = {}
    for _ in range(_ROUNDS):
        problems = engine.value_problems(output.values())
        removed = _removed(output, problems)
        reasons.update(removed)
        if not removed:
            break
    return _with_reasons(entries, reasons), [_format(problem) for problem in problems]


def _removed(output: Output, problems: Sequence[ValueProblem]) -> dict[str, str]:
    """Remove what the problems name; returns the reason for each of upstream's keys."""
    located = [
        (output.locate(path), _reason(problem)) for problem in problems for path in _paths(problem)
    ]
    return {
        source: f"`{target}`: {reason}"
        for path, reason in located
        for target, source in output.remove(path)
    }


def _paths(problem: ValueProblem) -> list[Path]:
    additional = _ADDITIONAL.fullmatch(problem.text)
    if additional:
        return [(*problem.path, name) for name in _QUOTED.findall(additional["names"])]
    return [problem.path] if problem.path else []


def _reason(problem: ValueProblem) -> str:
    text = problem.text
    if _ADDITIONAL.fullmatch(text):
        further = _FURTHER.get(problem.path, "")
        return f"this chart has no such key.{further}"
    if text == "false schema":
        return "the chart sets it."
    return f"the chart rejects the value: {_PATTERN.sub('it does not match the pattern ', text)}."


def _format(problem: ValueProblem) -> str:
    key = keys.format_(problem.path)
    text = _PATTERN.sub("does not match the pattern ", _TEMPLATE.sub("", problem.text))
    return f"{key}: {text}" if key else text


def _with_reasons(entries: Sequence[Entry], reasons: dict[str, str]) -> list[Entry]:
    return [
        replace(entry, outcome=Outcome.OMITTED, targets=(), reason=reasons[entry.source])
        if entry.source in reasons
        else entry
        for entry in entries
    ]
