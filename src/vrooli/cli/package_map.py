"""Generates the parts of docs/development.md about packages and their layers."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from vrooli import project


def packages() -> str:
    """Return the table of the packages with the first sentence of their docstrings."""
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in _described(_source()))
    return f"| package | contents |\n| --- | --- |\n{rows}"


def contracts() -> str:
    """Return the list of the import contracts, with the layers from top to bottom."""
    settings = tomllib.loads((project.root() / "pyproject.toml").read_text())
    return "".join(
        f"- {contract['name']}{_layers(contract.get('layers', ()))}\n"
        for contract in settings["tool"]["importlinter"]["contracts"]
    )


def _source() -> Path:
    return project.root() / "src" / "vrooli"


def _described(source: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(source.rglob("__init__.py")):
        name = ".".join(path.parent.relative_to(source).parts)
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        if name:
            yield name, " ".join(docstring.split("\n\n")[0].split()).replace("|", "\\|")


def _layers(layers: list[str] | tuple[()]) -> str:
    names = (f"`{layer.replace('vrooli.', '')}`" for layer in layers)
    return f": {' → '.join(names)}" if layers else ""
