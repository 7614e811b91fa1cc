"""Measures the source code: names, sizes, folders, imports, docstrings.

uv run python bench/code_metrics.py
uv run python bench/code_metrics.py --root ../another-checkout
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# Words of a conversation, where the field has a term: `found` is a match, `wanted` is desired.
CONVERSATIONAL = frozenset(Path(__file__).with_name("conversational_words.txt").read_text().split())
# Folders with more files, and functions with more lines, are counted.
MOST_FILES, MOST_LINES = 15, 40
# How a pod's readiness is read from its raw object.
READINESS = re.compile(r"""["']containerStatuses["']|==\s*["']Ready["']""")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n")


def read_modules(folder: Path) -> list[Module]:
    """All Python files of a folder, parsed."""
    paths = sorted(path for path in folder.rglob("*.py") if "node_modules" not in path.parts)
    texts = [path.read_text() for path in paths]
    return [Module(path, text, ast.parse(text)) for path, text in zip(paths, texts, strict=True)]


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The names that a module binds: definitions, parameters, variables, attributes, aliases."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
                yield from (name for name in _parameters(node.args) if name not in ("self", "cls"))
            case ast.Lambda():
                yield from _parameters(node.args)
            case ast.ClassDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.alias(asname=str(name)):
                yield name
            case _:
                pass


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in (*every, arguments.vararg, arguments.kwarg):
        if argument is not None:
            yield argument.arg


def is_conversational(name: str) -> bool:
    """Whether one of the name's words is one of a conversation."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return any(word.lower() in CONVERSATIONAL for word in words)


def functions(modules: Iterable[Module]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def function_lines(modules: Iterable[Module]) -> list[int]:
    """Lines of each function, from its `def` to its end."""
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions(modules)]


def docstring_share(modules: Iterable[Module]) -> float:
    """The share of public modules, classes and functions that have a docstring."""
    public = [
        node for module in modules for node in (module.tree, *_public_definitions(module.tree.body))
    ]
    return sum(ast.get_docstring(node) is not None for node in public) / len(public)


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public_definitions(body: Iterable[ast.stmt]) -> Iterator[Documented]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("_"):
            yield node
            yield from _public_definitions(node.body if isinstance(node, ast.ClassDef) else ())


def largest_folders(modules: Iterable[Module], root: Path) -> list[tuple[str, int]]:
    """Folders by the number of Python files beside each other, the largest first."""
    counts: dict[str, int] = {}
    for module in modules:
        if module.path.name != "__init__.py":
            folder = str(module.path.parent.relative_to(root))
            counts[folder] = counts.get(folder, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def import_levels(modules: Iterable[Module], package: str) -> tuple[int, int, int]:
    """The parts of a package (its modules and subpackages), its levels, and the imports between.

    A part's level is one above the highest part that it imports.
    """
    prefix = f"vrooli.{package}."
    edges: dict[str, set[str]] = {}
    for module in modules:
        parts = module.path.with_suffix("").parts
        dotted = ".".join(parts[parts.index("vrooli") :])
        if not dotted.startswith(prefix) or dotted == f"{prefix}__init__":
            continue
        part = dotted.removeprefix(prefix).split(".")[0]
        imported = {
            name.removeprefix(prefix).split(".")[0]
            for name in _imports(module.tree)
            if name.startswith(prefix)
        }
        edges.setdefault(part, set()).update(imported - {part})
    edges = {part: targets & edges.keys() for part, targets in edges.items()}
    levels: dict[str, int] = {}

    def level(part: str, path: tuple[str, ...] = ()) -> int:
        if part not in levels:
            below = [level(item, (*path, part)) for item in sorted(edges[part]) if item not in path]
            levels[part] = 1 + max(below, default=0)
        return levels[part]

    return len(edges), max(map(level, sorted(edges))), sum(map(len, edges.values()))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{item.name}" for item in node.names)
        elif isinstance(node, ast.Import):
            yield from (item.name for item in node.names)


def measure(root: Path) -> dict[str, str]:
    """Each figure by what it says."""
    source = read_modules(root / "src/vrooli")
    services, support = read_modules(root / "services"), read_modules(root / "tests/support")
    tests = read_modules(root / "tests")
    names = [name for part in (source, services, support) for name in _names(part)]
    share = sum(map(is_conversational, names)) / len(names)
    module_sizes, function_sizes = [item.lines for item in source], function_lines(source)
    folders = largest_folders([*source, *services, *support], root)
    parts, levels, imports = import_levels(source, "diagnosis")
    lines = sum(module_sizes) + sum(item.lines for item in services)
    readers = sorted(
        str(item.path.relative_to(root)) for item in source if READINESS.search(item.text)
    )
    return {
        "Conversational names": f"{100 * share:.1f} % of {len(names):,}",
        f"Folders with more than {MOST_FILES} files": str(
            sum(count > MOST_FILES for _, count in folders)
        ),
        "Largest folder": "{}, {} files".format(*folders[0]),
        "Parts, levels and imports inside diagnosis": f"{parts}, {levels}, {imports}",
        "Module lines, median and maximum": f"{median(module_sizes):.0f}, {max(module_sizes)}",
        "Function lines, median and maximum": f"{median(function_sizes):.0f}, "
        f"{max(function_sizes)}",
        f"Functions over {MOST_LINES} lines": str(
            sum(size > MOST_LINES for size in function_sizes)
        ),
        "Test lines per source line": f"{sum(item.lines for item in tests) / lines:.2f}",
        "Public docstrings": f"{100 * docstring_share(source):.1f} %",
        "Modules that read a pod's readiness from raw objects": str(len(readers)),
    }


def _names(modules: Iterable[Module]) -> Iterator[str]:
    for module in modules:
        yield from bound_names(module.tree)


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    for title, figure in measure(parser.parse_args().root.resolve()).items():
        print(f"{title:55} {figure}")


if __name__ == "__main__":
    main()
