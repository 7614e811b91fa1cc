"""Generates the reference documentation: commands, exit codes, variables and JSON models.

A page marks each generated part with ``<!-- from the code: NAME -->`` and ``<!-- end -->``. A test
compares the parts with the code and can update them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import typer
from pydantic import BaseModel

from vrooli.artifact import model as artifact
from vrooli.checks import catalog
from vrooli.cli import examples, package_map, schemas
from vrooli.cli.app import app
from vrooli.cli.terminal import errors, jsonlines
from vrooli.environments import ENVIRONMENTS
from vrooli.operators import versions
from vrooli.workflows.safeguards import consent

PART = re.compile(r"(<!-- from the code: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
LINES = (*schemas.EVENTS, jsonlines.ResultLine, jsonlines.ErrorLine)
RECORDS = (
    artifact.Artifact,
    artifact.ArtifactChart,
    artifact.ArtifactSource,
    artifact.ArtifactImage,
    artifact.ArtifactFile,
)


def refreshed(page: str) -> str:
    """Return the page with each marked part generated from the code."""
    parts: dict[str, Callable[[], str]] = {
        "commands": commands,
        "exit-codes": exit_codes,
        "variables": variables,
        "lines": lambda: models(LINES),
        "schemas": schema_files,
        "results": lambda: models(schemas.result_models()),
        "artifact": lambda: models(RECORDS),
        "checks": checks,
        "consent": consents,
        "packages": package_map.packages,
        "contracts": package_map.contracts,
        "operator-versions": operator_versions,
    }
    return PART.sub(lambda match: f"{match[1]}\n{parts[match[2]]()}\n{match[3]}", page)


def schema_files() -> str:
    """Return the table of commands with their result models and schema files."""
    rows = [
        (
            f"`vrooli {command}`",
            " or ".join(f"[{model.__name__}](#{model.__name__.lower()})" for model in models),
            f"[{name}](schemas/{name})",
        )
        for command, models in schemas.RESULTS.items()
        for name in [schemas.file_name(command)]
    ]
    return _table(("command", "result", "JSON schema"), rows)


def operator_versions() -> str:
    """Return the table of the versions of the operators, each statement with its proof."""
    columns = ("source", "values", "objects", "readiness", "rights", "rules")
    rows = [
        (
            f"{item.title}{', ' + item.support if item.support else ''}",
            ", ".join(map(str, item.postgres)),
            str(item.newest_postgres or ""),
            *(str(fact) for _, fact in item.facts),
            ", ".join(f"{old} ({proof})" for old, proof in item.upgrades_from.items()),
        )
        for item in versions.VERSIONS
    ]
    return _table(
        ("version", "PostgreSQL images", "newest PostgreSQL", *columns, "upgrade from"), rows
    )


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [(str(code), text) for code, text in errors.EXIT_CODES.items()]
    return _table(("code", "meaning"), rows)


def variables() -> str:
    """Return the table of the environment variables that set options."""
    result: dict[str, set[str]] = {}
    for _, command in _commands():
        for param in command.params:
            if isinstance(param.envvar, str):
                result.setdefault(param.envvar, set()).add(_names(param)[0])
    rows = [(f"`{name}`", ", ".join(sorted(options))) for name, options in sorted(result.items())]
    return _table(("variable", "option"), rows)


def commands() -> str:
    """Return the sections of all commands: description, examples, arguments and options."""
    return "\n".join(_command(path, command) for path, command in _commands())


def checks() -> str:
    """Return the table of checks."""
    rows = [
        (
            f"`{check.name}`",
            check.title,
            check.description,
            check.creates or "nothing",
            f"{check.limit_s:.0f} s",
            "yes" if check.stops_deploy else "",
            "yes" if check.of_operators else "",
        )
        for check in catalog.ALL
    ]
    columns = ("name", "check", "examines", "creates", "timeout", "deploy", "`--operators`")
    return _table(columns, rows)


def consents() -> str:
    """Return the table of how each action is confirmed."""
    rows = [
        (action.value, ", ".join(names), *answers)
        for action in consent.Action
        for answers, names in _by_answers(action).items()
    ]
    return _table(
        ("action", "environment", "with `--yes`", "on a terminal", "without a terminal"), rows
    )


def _by_answers(action: consent.Action) -> dict[tuple[str, ...], list[str]]:
    """Group the environments by their verdicts."""
    terminals = ({"yes": True, "terminal": False}, {"yes": False, "terminal": True})
    result: dict[tuple[str, ...], list[str]] = {}
    for name in ENVIRONMENTS:
        answers = tuple(
            consent.verdict(action, name, **terminal).value
            for terminal in (*terminals, {"yes": False, "terminal": False})
        )
        result.setdefault(answers, []).append(name)
    return result


def models(classes: Sequence[type[BaseModel]]) -> str:
    """Return a table of fields for each model."""
    return "\n".join(_model(model) for model in classes)


def _model(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").strip().splitlines()[0]
    rows = [
        (f"`{name}`", f"`{_type(field.annotation)}`", field.description or "")
        for name, field in model.model_fields.items()
    ]
    return f"### {model.__name__}\n\n{text}\n\n{_table(('field', 'type', 'meaning'), rows)}"


def _type(annotation: Any) -> str:
    text = (
        annotation.__name__
        if isinstance(annotation, type) and not hasattr(annotation, "__args__")
        else str(annotation)
    )
    text = re.sub(r"\b(?:[a-z_]+\.)+", "", text)
    return text.replace("NoneType", "None").replace("|", "or")


def _commands() -> Iterator[tuple[str, Any]]:
    group = typer.main.get_command(app)
    yield from _below("vrooli", group)


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, result in inner.items():
        yield from _below(f"{path} {name}", result)


def _command(path: str, command: Any) -> str:
    rows = [_param(param) for param in command.params if param.name != "help"]
    shown = f"```bash\n{examples.to_script(command.epilog)}\n```"
    table = _table(("option", "description"), rows)
    return f"## {path}\n\n{_paragraphs(command.help)}\n\n{shown}\n\n{table}"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _param(param: Any) -> tuple[str, str]:
    text = ", ".join(_names(param))
    remarks = []
    if param.default not in (None, False, ()) and not callable(param.default):
        remarks.append(f"default: `{_default(param)}`")
    if param.envvar:
        remarks.append(f"environment variable: `{param.envvar}`")
    help_ = " ".join((param.help or "").split())
    return text, f"{help_} ({'; '.join(remarks)})" if remarks else help_


def _names(param: Any) -> list[str]:
    if param.param_type_name == "argument":
        return [f"`{param.name.upper()}`"]
    return [f"`{name}`" for name in (*param.opts, *param.secondary_opts)]


def _default(param: Any) -> str:
    if param.default is True:
        return str(param.opts[0])
    if isinstance(param.default, (list, tuple)):
        return ", ".join(str(item) for item in param.default)
    return str(param.default)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
