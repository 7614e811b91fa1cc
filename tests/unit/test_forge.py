"""The production flow as the forge runs it: a valid workflow of commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from vrooli import project
from vrooli.cli.app import app

WORKFLOWS = sorted((project.root() / ".github" / "workflows").glob("*.yml"))
LAUNCHED = re.compile(r'/vrooli" ([^"$]+) "\$@"')


def _steps(page: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(page.read_text())["jobs"].values():
        yield from job["steps"]


def _commands() -> Iterator[str]:
    """What the workflows run of ours, the shell's variables filled in."""
    for page in WORKFLOWS:
        for step in _steps(page):
            run = step.get("run", "").replace("${GITHUB_REF_NAME#v}", "1.2.3")
            if "scripts/" in run:
                yield run.replace("$CLUSTER", "context:production")


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda page: page.name)
def test_a_workflow_is_what_the_forge_takes(page: Path) -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    schema = ["--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([check, *schema, page], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("line", list(_commands()))
def test_a_workflows_command_can_be_typed_as_it_stands(line: str) -> None:
    words = [word for word in shlex.split(line) if word != "bash"]
    launcher, *arguments = words
    found = LAUNCHED.search((project.root() / launcher).read_text())
    if found:
        arguments = [*found[1].split(), *arguments]
    command = typer.main.get_command(app)
    name, *rest = arguments
    context = command.make_context("vrooli", [name, *rest])
    commands: dict[str, Any] = getattr(command, "commands", {})
    commands[name].make_context(name, rest, parent=context)


def test_production_comes_after_staging_and_staging_after_every_test() -> None:
    (page,) = WORKFLOWS
    jobs = yaml.safe_load(page.read_text())["jobs"]
    order = {name: job.get("needs") for name, job in jobs.items()}
    assert order == {
        "check": None,
        "build": "check",
        "staging": "build",
        "production": "staging",
    }


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda page: page.name)
def test_actions_are_pinned_by_commit_with_their_version_beside(page: Path) -> None:
    """A tag can be moved to other code; a commit cannot."""
    used = re.findall(r"^\s*(?:- )?uses:\s*(.+)$", page.read_text(), re.M)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
