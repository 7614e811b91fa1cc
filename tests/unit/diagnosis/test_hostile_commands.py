"""Printed commands are safe to paste, whatever the objects and logs of a cluster contain."""

from __future__ import annotations

import ast
import importlib.util
import json
import random
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import vrooli
from vrooli import shell
from vrooli.diagnosis import catalog
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule
from vrooli.findings import Finding
from vrooli.kube.objects import MALFORMED_ERRORS, Ref

# The most words of one case that are replaced one at a time.
MOST = 5
RULE_TESTS = Path(__file__).with_name("rules")
CANARY = re.compile("touch.X")
PAYLOADS = (
    *("; touch X #", "$(touch X)", "`touch X`", "a\n touch X", "a\r touch X", "'; touch X; '"),
    "a`, or run `touch X",
    *('"; touch X; "', "--touch=X", "-o touch X", "a touch X", "a|touch X", "a&&touch X"),
    *(
        "a>touch-X",
        "../touch/X",
        "a\\touch X",
        "a\u202etouch X",
        "{touch,X}",
        "~touch X",
        "a=$touch X",
    ),
)
PROGRAMS = {
    *("kubectl", "vault", "helm", "vrooli", "sh", "echo", "tr", "base64", "printf", "redis-cli"),
    *("bash", "timedatectl", "docker", "openssl", "pgbackrest"),
}
# Words of the shell's grammar that our own templates contain.
GRAMMAR = {"(", ")", "{", "}", "|", "||", "&&", ";", "for", "in", "do", "done", "exit", "then"}
OPERATORS = {"(", "{", "|", "||", "&&", ";", "do", "then"}


def _cases() -> Iterator[tuple[str, Evidence]]:
    for path in sorted(RULE_TESTS.glob("*/test_*.py")):
        spec = importlib.util.spec_from_file_location(f"cases_of_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, case in getattr(module, "CASES", {}).items():
            yield f"{path.parent.name}.{path.stem}: {name}", case[-1]


CASES = dict(_cases())


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A value in which each string is changed, at any depth; kinds of objects stay."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return change(value)
    if isinstance(value, Ref):
        return Ref(value.kind, change(value.name), change(value.namespace))
    if isinstance(value, Mapping):
        return {
            _mapped(key, change) if not isinstance(key, str) else key: (
                item if key in ("kind", "apiVersion") else _mapped(item, change)
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, frozenset)):
        return type(value)([_mapped(item, change) for item in value])
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                item.name: _mapped(getattr(value, item.name), change)
                for item in fields(value)
                if item.init and item.name not in ("probe", "kind")
            },
        )
    return value


def _strings(value: Any) -> set[str]:
    found: set[str] = set()

    def note(text: str) -> str:
        found.add(text)
        return text

    _mapped(value, note)
    return found - {""}


def _findings(evidence: Evidence, rules: Sequence[Rule] = catalog.ALL) -> Iterator[Finding]:
    """What rules report, as it is shown; a rule that an odd object stops reports nothing."""
    for rule in rules:
        try:
            symptoms = list(rule.find(evidence))
        except MALFORMED_ERRORS:
            continue
        for it in symptoms:
            yield Finding(rule.rule_id, str(it.resource), it.message, it.remediation, it.command)


def _commands(finding: Finding) -> Iterator[str]:
    """The command of a finding, and those in backticks of its remediation."""
    if finding.command:
        yield finding.command
    for span in re.findall("`([^`]*)`", finding.remediation):
        if span.partition(" ")[0] in PROGRAMS and "<" not in span and "..." not in span:
            yield span


def assert_safe(command: str) -> None:
    assert command.isprintable(), command
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = list(lexer)
    for word in words:
        if CANARY.search(word):
            # Only within one word that is an audience, which any text may be, or JSON.
            assert word.startswith(("audience=", "{", "[")), command
            assert word[0] == "a" or json.loads(word) is not None, command
    expected, programs = True, []
    for word in words:
        if expected and word not in GRAMMAR and not re.match(r"[A-Z_]+=", word):
            programs.append(word)
        expected = word in OPERATORS
    assert set(programs) <= {*PROGRAMS, "pod", "IFS="}, (programs, command)


def assert_parses(commands: set[str]) -> None:
    text = "\n".join(sorted(commands))
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


def _assert_all_safe(evidence: Evidence, rules: Sequence[Rule] = catalog.ALL) -> set[str]:
    commands = set()
    for finding in _findings(evidence, rules):
        assert "\ue000" not in "".join(map(str, vars(finding).values())), finding
        for command in _commands(finding):
            assert_safe(command)
            commands.add(command)
    return commands


def _is_path(word: str, printed: str) -> bool:
    return "/" in word and word in printed


def _replaced(payloads: Mapping[str, str], text: str) -> str:
    return payloads.get(text, text)


def test_there_are_cases() -> None:
    assert len(CASES) > 40
    with pytest.raises(AssertionError):
        assert_safe("kubectl delete pod a; touch X")
    with pytest.raises(AssertionError):
        assert_safe("kubectl delete pod --touch=X")


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_word_of_a_command_is_not_printed(name: str) -> None:
    evidence = CASES[name]
    findings = list(_findings(evidence))
    printed = " ".join(command for it in findings for command in _commands(it))
    rules = [rule for rule in catalog.ALL if rule.rule_id in {it.rule_id for it in findings}]
    assert printed
    commands = set()
    parts = set(re.split(r"[\s/=,:]+", printed))
    words = sorted(word for word in _strings(evidence) if word in parts or _is_path(word, printed))
    for number, word in enumerate(words[:MOST]):
        payload = PAYLOADS[number % len(PAYLOADS)]
        commands |= _assert_all_safe(
            _mapped(evidence, partial(_replaced, {word: payload})),
            rules,
        )
    assert_parses(commands)


@pytest.mark.parametrize("name", CASES)
def test_hostile_strings_anywhere_print_no_hostile_command(name: str) -> None:
    evidence, commands = CASES[name], set()
    strings = sorted(_strings(evidence))
    drawn = random.Random(name)  # noqa: S311 - a fixed choice
    for share in (0.2,):
        chosen = {text: drawn.choice(PAYLOADS) for text in strings if drawn.random() < share}
        commands |= _assert_all_safe(_mapped(evidence, partial(_replaced, chosen)))
    assert_parses(commands)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_kind_of_word_takes_a_payload(payload: str) -> None:
    for word in (
        *(shell.name, shell.label, shell.segment, shell.path, shell.key, shell.selector),
        *(shell.image, shell.amount, shell.address, shell.names, shell.identifier),
    ):
        finding = Finding(
            "x", "y", "z", f"Run `kubectl get {word(payload)}`.", f"x {word(payload)}"
        )
        assert not finding.command
        assert "No command is shown" in finding.remediation
        assert "kubectl" not in finding.remediation
        # Neither a command of ours nor one that the word itself puts in backticks.
        assert "`" not in finding.remediation
    for kind in ("Pod", "Service", "Namespace", "ClusterRole"):
        for ref in (Ref(kind, payload, "a"), Ref(kind, "a", payload), Ref(payload, "a", "a")):
            assert not Finding("x", "y", "z", "", f"kubectl get {ref.words}").command
    assert_safe(f"kubectl patch x -p {shell.quote(json.dumps({'a': payload}))}") if (
        payload.isprintable()
    ) else None


VERBS = re.compile(r"\b(kubectl|vault|helm|psql|redis-cli|docker|pgbackrest) (?=[a-z-])")
# An option and its value, which become a part of a command elsewhere.
OPTION = re.compile(r"(?:^|\s)--?[a-z][a-z-]*[= ]\0")
# Expressions that hold text which is already built from checked words, or our own constants.
BUILT_OR_CHECKED = re.compile(r"shell\..*|.*\.words|([a-z_]+\.)?[A-Z_]+")
BUILT = {
    *("command", "config", "role", "labels", "words", "inner", "where", "record", "patch", "read"),
    *("arguments", "option", "described", "place", "part", "field", "names", "when", "amount"),
    *("live", "version", "', '.join(names)", "_rule(path)", "_in_order(turns)", "operator.title"),
    *("back", "what", "other", "_audience(login)"),
    *("','.join(NAMES)", "' and '.join(VERBS)", "'.'.join(SETTINGS)", "', '.join(titles)"),
}


def _unchecked(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        text = "".join(
            str(it.value) if isinstance(it, ast.Constant) else "\0" for it in node.values
        )
        if not VERBS.search(text) and not OPTION.search(text):
            continue
        for item in node.values:
            if isinstance(item, ast.FormattedValue):
                code = ast.unparse(item.value)
                if not (
                    code.startswith("shell.")
                    or code.endswith(".words")
                    or code in BUILT
                    or code.rpartition(".")[2].isupper()
                ):
                    yield f"{path.name}:{node.lineno}: {code}"


def test_each_word_of_a_command_is_checked_in_one_place() -> None:
    root = Path(vrooli.__file__).parent
    found = [
        line
        for part in ("checks", "diagnosis", "kube")
        for path in sorted((root / part).rglob("*.py"))
        for line in _unchecked(path)
    ]
    assert found == []
