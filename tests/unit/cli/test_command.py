"""The help of commands, and what a shell completes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vrooli.cli import completion, schemas
from vrooli.cli.app import app

WIDE = {"COLUMNS": "200"}


def _help(command: str) -> str:
    return CliRunner().invoke(app, [*command.split(), "--help"], env=WIDE).output


def test_the_lines_of_a_paragraph_are_joined() -> None:
    text = " ".join(_help("status").split())
    sentence = "with 3 if required data could not be read. With --watch, the command also follows"
    assert sentence in text
    assert any("Exits with 1" in line and "with 3" in line for line in _help("status").splitlines())


@pytest.mark.parametrize("command", ["", "cluster", "cache", "artifact", "values"])
def test_groups_show_no_type_of_python(command: str) -> None:
    assert "<bool>" not in _help(command)


@pytest.mark.parametrize("command", schemas.RESULTS)
def test_no_word_is_cut_in_80_columns(command: str) -> None:
    text = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"}).output
    assert [line for line in text.splitlines() if "…" in line] == []


@pytest.mark.parametrize("command", schemas.RESULTS)
def test_flags_and_names_show_no_type_of_python(command: str) -> None:
    text = _help(command)
    assert not [word for word in ("<bool>", "<str>", "list[", "Path]", "<float") if word in text]


@pytest.mark.parametrize("command", ["status", "cluster list"])
def test_only_the_command_that_runs_is_built(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    built: list[str | None] = []
    build = typer.main.get_command_from_info

    def record(info: Any, **settings: Any) -> Any:
        built.append(info.name)
        return build(info, **settings)

    monkeypatch.setattr(typer.main, "get_command_from_info", record)
    assert "--output" in _help(command)
    assert built == [command.rsplit(maxsplit=1)[-1]]


def test_the_help_of_a_group_lists_its_commands_in_their_order() -> None:
    text = _help("")
    names = ["setup", "develop", "build", "resume", "cluster", "values"]
    assert sorted(names, key=lambda name: text.index(f"│ {name} ")) == names


def test_a_command_that_does_not_exist_is_answered_with_a_similar_one() -> None:
    result = CliRunner().invoke(app, ["statu"], env=WIDE)
    assert result.exit_code == 2
    assert "Did you mean 'status'" in result.output


def test_the_port_of_a_page_requires_the_page() -> None:
    result = CliRunner().invoke(app, ["graph", "--port", "8090"], env=WIDE)
    assert result.exit_code == 2
    assert "--port requires --serve" in result.output


def test_environments_and_components_are_completed() -> None:
    assert completion.environments("") == ["dev", "staging", "prod"]
    assert completion.environments("s") == ["staging"]
    assert "server" in completion.components("se")
    assert completion.host_services("") == ["server", "jobs", "ui"]
    assert completion.cluster_components("kube-s") == ["kube-scheduler"]


@pytest.mark.parametrize("command", schemas.RESULTS)
def test_each_name_of_a_kind_is_completed(command: str) -> None:
    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    kinds = ("environment", "cluster", "component", "components")
    names = [param for param in found.params if param.name in kinds]
    assert [param.name for param in names if param._custom_shell_complete is None] == []


def test_clusters_are_completed_from_this_machine_and_the_kubeconfig(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = state_dir / "clusters" / "demo" / "cluster.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    config = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert completion.clusters("context") == []
    config.write_text("contexts: [{name: far}, {name: near}, 3]\n")
    assert completion.clusters("context:n") == ["context:near"]
    assert completion.clusters("emb") == ["embedded", "embedded:demo"]
    assert completion.embedded_clusters("d") == ["demo"]
