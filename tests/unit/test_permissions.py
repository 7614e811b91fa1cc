"""The roles for users of a cluster of others, and the table of what each command uses of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

from support.chart.rendering import render
from support.cluster import accounts
from vrooli import project
from vrooli.chart import golden
from vrooli.checks.cluster import permissions
from vrooli.cli import reference
from vrooli.diagnosis.evidence.collection import kinds
from vrooli.graph.live import fetch
from vrooli.release.rollout import queries

NAMED, OPTIONAL = "vrooli", "vrooli-optional-kinds"
CLUSTER, PLATFORM = "vrooli-cluster-reader", "vrooli-platform-reader"
READS = ("get", "list", "watch")
VERBS = (*READS, "create", "update", "patch", "delete")
# The kinds that are read for a diagnosis, a graph and a rollout in the namespace of a release.
READ_KINDS = (*kinds.OF_RELEASE, *kinds.OF_OPERATORS, *fetch.KINDS, *queries.EVIDENCE)
# Optional kinds are not in the Role, but in one of their own.
OF_OPTIONS = ("gateway.networking.k8s.io", "keda.sh", "monitoring.coreos.com")
# A resource in code, with the verbs that follow it.
ITEM = re.compile(rf"`([^`]+)`((?:(?:,? and |,? )(?:{'|'.join(VERBS)})\b)*)")
SET = re.compile(r"\*\*(\w+)\*\*")
# Other words in code: options, variables, roles and faults.
OTHERS = re.compile(r"--.*|VAULT_\w+|vrooli|postgres-full|open graph")

Rules = Sequence[Mapping[str, Any]]


def table(title: str) -> list[list[str]]:
    """The rows of a table of docs/compatibility.md, by the first word of its head."""
    page = (project.root() / "docs" / "compatibility.md").read_text().splitlines()
    start = next(number for number, line in enumerate(page) if line.startswith(f"| {title} |"))
    lines = itertools.takewhile(lambda line: line.startswith("|"), page[start + 2 :])
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


ROLES = accounts.roles()
COMMANDS = [path.removeprefix("vrooli ") for path, _ in reference._commands()]
ROWS, SETS = table("command"), {SET.findall(row[0])[0]: row[1] for row in table("set")}
# What the first column names in code.
FIRST = {name for row in ROWS for name, _ in ITEM.findall(row[0])}


def plural(kind: str) -> str:
    """The name of a kind's resource."""
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def allowed(rules: Rules, api_version: str, kind: str, verbs: Iterable[str]) -> bool:
    """Whether rules allow all verbs on all objects of a kind."""
    group = api_version.rpartition("/")[0]
    return all(permissions.allows(rules, verb, group, plural(kind)) for verb in verbs)


def resources(cell: str) -> Iterator[tuple[str, list[str]]]:
    """The resources of a cell, each with its verbs."""
    for name, verbs in ITEM.findall(cell):
        if not OTHERS.fullmatch(name) and name not in COMMANDS and name not in FIRST:
            yield name, re.findall("|".join(VERBS), verbs)


def lacking(cell: str, rules: Rules) -> list[str]:
    """What a cell names that no rule allows."""
    groups = {group for rule in rules for group in rule["apiGroups"]}
    return [
        f"{name} {verb}"
        for name, verbs in resources(cell)
        for verb in verbs or ("get",)
        if not any(permissions.allows(rules, verb, group, name) for group in groups)
    ]


def rules_of(*names: str) -> Rules:
    """The rules of some roles of the file together."""
    return [rule for name in names for rule in ROLES[name]]


def test_the_file_has_four_roles_that_name_each_resource_and_verb() -> None:
    bodies = list(yaml.safe_load_all(accounts.ROLES.read_text()))
    assert {(body["kind"], body["metadata"]["name"]) for body in bodies} == {
        ("Role", NAMED),
        ("Role", OPTIONAL),
        ("ClusterRole", CLUSTER),
        ("ClusterRole", PLATFORM),
    }
    for rule in rules_of(NAMED, OPTIONAL, CLUSTER, PLATFORM):
        assert rule["resources"]
        assert rule["apiGroups"]
        assert not {"*"} & {*rule["resources"], *rule["apiGroups"]}
        assert set(rule["verbs"]) <= set(VERBS)


def test_the_cluster_reader_changes_nothing_and_reads_no_values() -> None:
    for rule in rules_of(CLUSTER):
        assert not {"secrets", "configmaps", "pods/log", "pods/exec"} & set(rule["resources"])
        is_question = rule["resources"] == ["subjectaccessreviews"]
        assert set(rule["verbs"]) <= set(READS) or is_question


def test_each_command_that_uses_a_cluster_has_a_row() -> None:
    of_clusters = {
        path.removeprefix("vrooli ")
        for path, command in reference._commands()
        if any("--cluster" in param.opts for param in command.params)
    }
    assert of_clusters - FIRST == set()
    assert {name for name in FIRST if name not in COMMANDS and " --" not in name} == {
        "live"  # the suite
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_roles_allow_what_a_command_uses(row: list[str]) -> None:
    _, needed, optional, outside, optional_outside = row
    assert lacking(needed, rules_of(NAMED)) == []
    assert lacking(optional, rules_of(NAMED, OPTIONAL)) == []
    assert lacking(outside, rules_of(CLUSTER)) == []
    assert lacking(optional_outside, rules_of(CLUSTER, PLATFORM)) == []
    assert set(SET.findall("".join(row))) <= SETS.keys()


@pytest.mark.parametrize("name", SETS)
def test_the_role_allows_the_sets(name: str) -> None:
    assert list(resources(SETS[name]))
    assert lacking(SETS[name], rules_of(NAMED)) == []
    assert set(SET.findall(SETS[name])) <= SETS.keys()


@pytest.mark.parametrize("case", golden.CASES)
def test_the_roles_allow_a_deploy_of_each_kind_of_the_chart(case: str) -> None:
    for manifest in render(golden.settings(case)).values():
        group = manifest.api_version.rpartition("/")[0]
        names = (NAMED, OPTIONAL) if group in OF_OPTIONS else (NAMED,)
        rules = rules_of(*names)
        assert allowed(rules, manifest.api_version, manifest.kind, permissions.VERBS), manifest.key


@pytest.mark.parametrize("kind", permissions.OWN)
def test_the_role_allows_records_and_the_lock(kind: tuple[str, str]) -> None:
    assert allowed(rules_of(NAMED), *kind, permissions.OWN_VERBS)


@pytest.mark.parametrize("kind", READ_KINDS)
def test_the_roles_allow_to_read_each_kind_in_the_namespace(kind: tuple[str, str]) -> None:
    names = (NAMED, OPTIONAL) if kind[0].rpartition("/")[0] in OF_OPTIONS else (NAMED,)
    assert allowed(rules_of(*names), *kind, READS)


@pytest.mark.parametrize("kind", [*kinds.OF_CLUSTER, *kinds.OF_OPERATORS])
def test_the_cluster_reader_lists_each_kind_of_a_diagnosis(kind: tuple[str, str]) -> None:
    assert allowed(rules_of(CLUSTER), *kind, ["list"])


@pytest.mark.parametrize("kind", kinds.OF_BELOW)
def test_the_platform_reader_lists_each_kind_of_a_diagnosis(kind: tuple[str, str]) -> None:
    assert allowed(rules_of(PLATFORM), *kind, ["list"])


def test_the_role_contains_what_the_rotators_role_grants() -> None:
    granted = render()["Role/demo-rotator"].body["rules"]
    missing = [
        (verb, group, resource)
        for rule in granted
        for verb, group, resource in itertools.product(
            rule["verbs"], rule["apiGroups"], rule["resources"]
        )
        if not permissions.allows(rules_of(NAMED), verb, group, resource)
    ]
    assert missing == []
