"""The packages that this repository pins: of Python, of Node, and of Go."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vrooli import project
from vrooli.programs.model import GO_DIR
from vrooli.programs.versions import GO_WHEEL

# A requirement of a go.mod, alone or in a block.
_REQUIRED = re.compile(r"^(?:require\s+|\t)(\S+) (v\S+)(?: // indirect)?$", re.M)
_REPLACED = re.compile(r"^(?:replace\s+|\t)(\S+)(?: v\S+)? => (\S+) (v\S+)$", re.M)


class Pin(NamedTuple):
    """A pinned package.

    Attributes:
        ecosystem: Its ecosystem, as OSV names it.
        name: Its name.
        version: Its version.
        source: The file that pins it, relative to the repository.
    """

    ecosystem: str
    name: str
    version: str
    source: str


def read() -> list[Pin]:
    """Every pinned package of the repository, sorted."""
    python, node, *go = _files()
    pins = {*_python(python), *_node(node), *_toolchain()}
    for file in go:
        pins.update(_go(file))
    return sorted(pins)


def fingerprint() -> str:
    """The hash of all files that pin packages, which is faster than to read them."""
    digest = hashlib.sha256(GO_WHEEL.encode())
    for file in _files():
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> list[Path]:
    root = project.root()
    node = root / "services" / "ui" / "package-lock.json"
    return [root / "uv.lock", node, *sorted(GO_DIR.glob("*/go.mod"))]


def _name(path: Path) -> str:
    root = project.root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _python(file: Path) -> Iterator[Pin]:
    for package in tomllib.loads(file.read_text())["package"]:
        if "registry" in package["source"]:
            yield Pin("PyPI", package["name"], package["version"], _name(file))


def _node(file: Path) -> Iterator[Pin]:
    for path, package in json.loads(file.read_text())["packages"].items():
        if path:
            name = package.get("name") or path.rpartition("node_modules/")[2]
            yield Pin("npm", name, package["version"], _name(file))


def _go(file: Path) -> Iterator[Pin]:
    text = file.read_text()
    replaced = {old: (new, version) for old, new, version in _REPLACED.findall(text)}
    for name, version in _REQUIRED.findall(text):
        name, version = replaced.get(name, (name, version))  # noqa: PLW2901 - the one that is built
        yield Pin("Go", name, version.removeprefix("v"), _name(file))


def _toolchain() -> Iterator[Pin]:
    """Go's standard library, which each Go program contains."""
    yield Pin("Go", "stdlib", GO_WHEEL.partition("==")[2], "src/vrooli/programs/go-wheel.txt")
