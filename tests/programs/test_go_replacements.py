"""Packages of Go modules are replaced in a build, and nothing but them."""

import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from vrooli import process
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.images import go_modules
from vrooli.programs import golang, model, replacements
from vrooli.programs.model import Edit, Group

MODULE, VERSION = "example.test/tool", "v1.0.0"
GROUP = Group("tool", f"{MODULE}@{VERSION}", {"tool": MODULE}, build_s=1)
# The main package prints what package `cloud` returns; its second file does not compile.
FILES = {
    "main.go": f"""package main

import "{MODULE}/cloud"

func main() {{ println(cloud.Name()) }}
""",
    "cloud/cloud.go": 'package cloud\n\nfunc Name() string { return "large" }\n',
    "cloud/more.go": 'package cloud\n\nimport "example.test/missing"\n',
}
SMALL = 'package cloud\n\nfunc Name() string { return "small" }\n'

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A group whose package `cloud` is replaced, and a source of its module."""
    served = tmp_path / "served" / MODULE / "@v"
    served.mkdir(parents=True)
    text = f"module {MODULE}\n\ngo 1.25\n"
    (served / f"{VERSION}.info").write_text(json.dumps({"Version": VERSION}))
    (served / f"{VERSION}.mod").write_text(text)
    with zipfile.ZipFile(served / f"{VERSION}.zip", "w") as archive:
        for name, content in {"go.mod": text, **FILES}.items():
            archive.writestr(f"{MODULE}@{VERSION}/{name}", content)
    folder = tmp_path / "go" / "tool"
    (folder / "_replaced" / MODULE / "cloud").mkdir(parents=True)
    (folder / "_replaced" / MODULE / "cloud" / "cloud.go").write_text(SMALL)
    (folder / "go.mod").write_text(f"module programs\n\ngo 1.25\n\nrequire {MODULE} {VERSION}\n")
    (folder / "imports.go").write_text(
        f'//go:build tools\n\npackage programs\n\nimport _ "{MODULE}"\n'
    )
    monkeypatch.setattr(model, "GO_DIR", tmp_path / "go")
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path / 'served'}")
    return folder


def _record_sum(folder: Path) -> None:
    """Record the module's sum, as `go mod download` finds it."""
    environment = {**os.environ, **golang._environment(GROUP), "GOFLAGS": "-mod=mod"}
    argv = ["go", "mod", "download", MODULE]
    subprocess.run(argv, cwd=folder, env=environment, check=True, capture_output=True)


@needs_go
async def test_the_program_has_the_replaced_package_and_its_bill_the_module(
    folder: Path, tmp_path: Path
) -> None:
    _record_sum(folder)
    pinned = (folder / "go.mod").read_text()
    await golang.build(GROUP, tmp_path, Progress())
    assert (await process.run([tmp_path / "tool"])).log == "small\n"
    assert (MODULE, VERSION) in go_modules.read(tmp_path / "tool")
    assert str(tmp_path).encode() not in (tmp_path / "tool").read_bytes()
    assert (folder / "go.mod").read_text() == pinned
    assert not list((tmp_path / "cache" / "go").glob("tool-*"))


@needs_go
async def test_a_module_without_a_recorded_sum_is_not_copied(folder: Path, tmp_path: Path) -> None:
    (folder / "go.sum").write_text("")
    with pytest.raises(VrooliError, match="is not recorded"):
        await golang.build(GROUP, tmp_path, Progress())


def test_a_package_of_no_module_is_an_error(folder: Path) -> None:
    (folder / "go.mod").write_text("module programs\n\nrequire example.test/too v1.0.0\n")
    with pytest.raises(VrooliError, match="tool/cloud belongs to no required module"):
        replacements.modules(GROUP)


@needs_go
async def test_the_program_has_the_edits_of_its_group(folder: Path, tmp_path: Path) -> None:
    _record_sum(folder)
    edit = Edit(f"{MODULE}/main.go", "println(cloud.Name())", 'println(cloud.Name() + ", edited")')
    group = replace(GROUP, edits=(edit,))
    assert group.key() != GROUP.key()
    await golang.build(group, tmp_path, Progress())
    assert (await process.run([tmp_path / "tool"])).log == "small, edited\n"


@needs_go
@pytest.mark.parametrize("before", ["no such text", "\n"])
async def test_an_edit_whose_text_is_not_there_once_is_refused(
    folder: Path, tmp_path: Path, before: str
) -> None:
    _record_sum(folder)
    group = replace(GROUP, edits=(Edit(f"{MODULE}/main.go", before, ""),))
    with pytest.raises(VrooliError, match=r"main\.go does not contain once"):
        await golang.build(group, tmp_path, Progress())
