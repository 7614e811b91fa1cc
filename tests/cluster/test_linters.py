"""Linters find nothing in what the chart renders, but for what is justified in one place.

Nor in the forge's workflows.
"""

from __future__ import annotations

import asyncio
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.chart.rendering import LOCAL_POSTGRES
from support.cluster import openapi
from vrooli import process, programs, project
from vrooli.chart import engine, golden, values
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import Kube

# The oldest Kubernetes that the chart is for.
KUBERNETES = "v1.23"
# Their definitions are in no cluster of ours.
UNKNOWN = ("monitoring.coreos.com/", "keda.sh/")
OPTIONAL = ("container-seccomp-profile", "container-ports-check")
PERFECT = 10


@dataclass(frozen=True)
class Justified:
    """A rule that is left unmended in some golden cases, with the reason."""

    rule: str
    reason: str
    cases: tuple[str, ...] = field(default=golden.CASES)


def justified() -> list[Justified]:
    """What k8s/chart/tests/linters.yaml says."""
    found = values.read(project.chart_dir() / "tests" / "linters.yaml")["kube-score"]
    return [
        Justified(**{**item, "cases": tuple(item.get("cases", golden.CASES))}) for item in found
    ]


def manifests(case: str) -> tuple[Manifest, ...]:
    """All that the chart renders for a golden case, for the Go module's PGO."""
    environment = golden.ENVIRONMENT_CASES.get(case, golden.DEFAULT)
    chosen = values.merge(golden.settings(case), LOCAL_POSTGRES)
    return engine.render(chosen, release=environment.release, namespace=environment.namespace)


@functools.cache
def scored(case: str) -> dict[str, list[str]]:
    """The rules of kube-score that a case breaks, each with the objects that break it."""
    found: dict[str, list[str]] = {}
    for item in asyncio.run(_score(golden.write(manifests(case)))):
        for check in item["checks"]:
            if not check["skipped"] and check["grade"] < PERFECT:
                found.setdefault(check["check"]["id"], []).append(item["object_name"])
    return found


async def _score(text: str) -> list[dict[str, Any]]:
    program = (await programs.ensure(["kube-score"], Progress()))["kube-score"]
    wanted = [word for rule in OPTIONAL for word in ("--enable-optional-test", rule)]
    command = [str(program), "score", "--kubernetes-version", KUBERNETES, "--output-format", "json"]
    # It ends with 1 when it finds anything, justified or not.
    answer = await process.run([*command, *wanted, "-"], stdin=text, check=False)
    found: list[dict[str, Any]] = json.loads(answer.output)
    return found


@pytest.mark.parametrize("case", golden.CASES)
def test_kube_score_finds_nothing_that_is_not_justified(case: str) -> None:
    left = {item.rule for item in justified() if case in item.cases}
    assert {rule: named for rule, named in scored(case).items() if rule not in left} == {}


@pytest.mark.parametrize("item", justified(), ids=lambda item: item.rule)
def test_every_justified_rule_would_otherwise_fail(item: Justified) -> None:
    assert len(item.reason) > 40
    assert [case for case in item.cases if item.rule not in scored(case)] == []


@pytest.fixture(scope="module")
async def schemas(bare_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a strict schema of each kind of the chart, as the API server describes it."""
    versions = {found.api_version for case in golden.CASES for found in manifests(case)}
    folder = tmp_path_factory.mktemp("schemas")
    async with await Kube.connect(bare_kubeconfig) as kube:
        known = sorted(version for version in versions if not version.startswith(UNKNOWN))
        await openapi.write_schemas(kube, known, folder)
    return folder


async def conform(schemas: Path, text: str) -> dict[str, Any]:
    """What kubeconform says of manifests: how many are valid, and what is wrong with the others."""
    program = (await programs.ensure(["kubeconform"], Progress()))["kubeconform"]
    location = f"{schemas}/{openapi.LOCATION}"
    answer = await process.run(
        [program, "-strict", "-summary", "-output", "json", "-schema-location", location, "-"],
        stdin=text,
        check=False,
    )
    found: dict[str, Any] = json.loads(answer.output)
    return found


@pytest.mark.parametrize("case", golden.CASES)
async def test_kubeconform_finds_every_object_valid(schemas: Path, case: str) -> None:
    known = [found for found in manifests(case) if not found.api_version.startswith(UNKNOWN)]
    said = await conform(schemas, golden.write(known))
    assert [found.get("msg") for found in said["resources"]] == []
    assert said["summary"] == {"valid": len(known), "invalid": 0, "errors": 0, "skipped": 0}


@pytest.mark.parametrize("kind", ["Deployment", "PostgresCluster", "RedisFailover", "VaultAuth"])
async def test_kubeconform_would_find_a_field_that_no_schema_has(schemas: Path, kind: str) -> None:
    found = next(found for found in manifests("default") if found.kind == kind)
    wrong = {**found.body, "spec": {**found.body["spec"], "nosuchfield": 1}}
    said = await conform(schemas, json.dumps(wrong))
    assert "nosuchfield" in said["resources"][0]["msg"]


WORKFLOWS = sorted((project.root() / ".github" / "workflows").glob("*.yml"))


async def acted(page: Path) -> list[str]:
    """What actionlint says of a workflow; it judges the shell's lines where shellcheck is there."""
    program = (await programs.ensure(["actionlint"], Progress()))["actionlint"]
    answer = await process.run([program, "-no-color", "-oneline", page], check=False)
    assert answer.status in (0, 1), answer.log
    return answer.output.splitlines()


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda page: page.name)
async def test_actionlint_finds_nothing_in_a_workflow(page: Path) -> None:
    assert await acted(page) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("needs: check", "needs: chek"), ("vars.REGISTRY }}", "var.REGISTRY }}")],
)
async def test_actionlint_would_find_what_a_schema_does_not(
    tmp_path: Path, right: str, wrong: str
) -> None:
    (page,) = WORKFLOWS
    spoilt = tmp_path / page.name
    spoilt.write_text(page.read_text().replace(right, wrong))
    assert await acted(spoilt)
