"""Changes of Go modules in a build: smaller packages, so that it compiles less, and corrections.

go/<group>/_replaced/ contains the smaller packages by their import paths; Go ignores folders with
such a name. Go refuses to overlay files of its module cache. So each changed module is copied from
there, after Go has verified it, and the copy is built.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from vrooli.errors import VrooliError
from vrooli.programs.model import Group

FOLDER = "_replaced"
_REQUIRED = re.compile(r"^\s*(?:require )?(\S+) (v\S+)", re.MULTILINE)


def modules(group: Group) -> dict[str, str]:
    """The changed modules, and their versions.

    Raises:
        VrooliError: A package belongs to no module of the group.
    """
    required = dict(_REQUIRED.findall((group.go_dir / "go.mod").read_text()))
    changed = {*_packages(group), *(edit.package for edit in group.edits)}
    found = {_module_of(package, required) for package in changed}
    return {module: required[module] for module in sorted(found)}


def copy(group: Group, sources: Mapping[str, Path], into: Path) -> None:
    """Write a module that builds the group with its replaced packages and its edits.

    Args:
        group: The group.
        sources: The verified source of each of its ``modules``.
        into: The empty folder for it.

    Raises:
        VrooliError: A file does not contain the text of an edit once.
    """
    # Not with the modes: go.mod is extended, and files of the module cache are read-only.
    own, copyfile = shutil.ignore_patterns(FOLDER), shutil.copyfile
    shutil.copytree(group.go_dir, into, ignore=own, copy_function=copyfile, dirs_exist_ok=True)
    with (into / "go.mod").open("a") as pinned:
        for module, source in sources.items():
            shutil.copytree(source, into / module, copy_function=copyfile)
            pinned.write(f"\nreplace {module} => ./{module}\n")
    for package in _packages(group):
        target = into / package
        target.chmod(0o755)
        for file in target.glob("*.go"):
            file.unlink()
        for file in (group.go_dir / FOLDER / package).glob("*.go"):
            shutil.copyfile(file, target / file.name)
    for edit in group.edits:
        file = into / edit.file
        text = file.read_text()
        if text.count(edit.before) != 1:
            raise VrooliError(f"{edit.file} does not contain once what a build replaces in it.")
        file.write_text(text.replace(edit.before, edit.after))


def _packages(group: Group) -> list[str]:
    """The import paths of the replaced packages."""
    folder = group.go_dir / FOLDER
    return sorted({str(file.parent.relative_to(folder)) for file in folder.rglob("*.go")})


def _module_of(package: str, required: Mapping[str, str]) -> str:
    matching = [name for name in required if f"{package}/".startswith(f"{name}/")]
    if not matching:
        raise VrooliError(f"The Go package {package} belongs to no required module.")
    return max(matching, key=len)
